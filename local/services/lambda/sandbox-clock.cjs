'use strict';

/**
 * Makes `Date` follow the runtime's virtual clock: real time, plus the shared offset, plus this function's own skew (both in
 * milliseconds, each the first element of a shared array). Timers stay real.
 */
exports.followClock = (offset, skew) => {
  const RealDate = Date;
  const realNow = RealDate.now;
  const now = () => Math.floor(realNow() + offset[0] + skew[0]);

  // A function and not a class: `Date()` without `new` answers text.
  function VirtualDate(...parts) {
    if (new.target === undefined) return new RealDate(now()).toString();
    return Reflect.construct(RealDate, parts.length === 0 ? [now()] : parts, new.target);
  }
  Object.defineProperties(VirtualDate, {
    name: { value: 'Date' },
    length: { value: 7 },
    prototype: { value: RealDate.prototype, writable: false },
    now: { value: now, writable: true, configurable: true },
    parse: { value: RealDate.parse, writable: true, configurable: true },
    UTC: { value: RealDate.UTC, writable: true, configurable: true },
  });
  RealDate.prototype.constructor = VirtualDate;
  globalThis.Date = VirtualDate;
  followInFormats(now);
};

/** A format without an argument means now, and does not ask `Date`. */
const followInFormats = (now) => {
  const formats = Intl.DateTimeFormat.prototype;
  const { get } = Object.getOwnPropertyDescriptor(formats, 'format');
  Object.defineProperty(formats, 'format', {
    configurable: true,
    get() {
      const format = get.call(this);
      return (date = now()) => format(date);
    },
  });
  const { formatToParts } = formats;
  formats.formatToParts = function (date = now()) {
    return formatToParts.call(this, date);
  };
};
