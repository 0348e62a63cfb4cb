'use strict';
const { isIP } = require('node:net');

class EgressRefused extends Error {
  constructor(what) {
    super(`The local runtime refuses connections that leave this machine: ${what}`);
    this.name = 'EgressRefused';
    this.code = 'ERR_EGRESS_REFUSED';
  }
}

const isLoopback = (host) => {
  const plain = String(host)
    .replace(/^\[|\]$/g, '')
    .toLowerCase();
  return plain === 'localhost' || plain === '::1' || (isIP(plain) === 4 && plain.startsWith('127.'));
};

/** Where `Socket.connect` was asked to go, in any of the forms it accepts; undefined when that is this machine. */
const foreignTarget = (parts) => {
  // `net.connect` hands its arguments on as one normalized array: [options, callback].
  const [first, second] = Array.isArray(parts[0]) ? parts[0] : parts;
  if (typeof first === 'object' && first !== null) {
    if (first.path) return first.path;
    return isLoopback(first.host ?? 'localhost') ? undefined : first.host;
  }
  if (Number.isNaN(Number(first))) return first;
  const host = typeof second === 'string' ? second : 'localhost';
  return isLoopback(host) ? undefined : host;
};

const answerWithError = (error, parts) => {
  const callback = parts.at(-1);
  if (typeof callback !== 'function') throw error;
  process.nextTick(callback, error);
};

const guardSockets = () => {
  const { Socket } = require('node:net');
  const connect = Socket.prototype.connect;
  Socket.prototype.connect = function (...parts) {
    const target = foreignTarget(parts);
    if (target === undefined) return connect.apply(this, parts);
    process.nextTick(() => this.destroy(new EgressRefused(target)));
    return this;
  };
};

const guardNames = () => {
  const dns = require('node:dns');
  const lookup = dns.lookup;
  const lookupPromise = dns.promises.lookup;
  dns.lookup = (host, ...rest) =>
    isLoopback(host) ? lookup(host, ...rest) : answerWithError(new EgressRefused(host), rest);
  dns.promises.lookup = async (host, ...rest) => {
    if (!isLoopback(host)) throw new EgressRefused(host);
    return lookupPromise(host, ...rest);
  };
  const resolvers = [dns, dns.Resolver.prototype];
  const promiseResolvers = [dns.promises, dns.promises.Resolver.prototype];
  const asks = (name) => /^(resolve|reverse|lookupService)/.test(name);
  for (const owner of resolvers)
    for (const name of Object.keys(Object.getOwnPropertyDescriptors(owner)).filter(asks))
      owner[name] = (host, ...rest) => answerWithError(new EgressRefused(host), rest);
  for (const owner of promiseResolvers)
    for (const name of Object.keys(Object.getOwnPropertyDescriptors(owner)).filter(asks))
      owner[name] = async (host) => {
        throw new EgressRefused(host);
      };
};

/** Other ways out: datagrams, and processes or threads that would not have this guard. */
const guardDetours = () => {
  const refuse = (what) =>
    function () {
      throw new EgressRefused(what);
    };
  require('node:dgram').createSocket = refuse('a datagram socket');
  require('node:worker_threads').Worker = refuse('a thread of its own');
  const processes = require('node:child_process');
  for (const name of ['spawn', 'spawnSync', 'exec', 'execSync', 'execFile', 'execFileSync', 'fork'])
    processes[name] = refuse(`a child process (${name})`);
};

/**
 * Names beyond this machine that stand for a port of it, as a resolver and a certificate would have it: a TLS connection to one of them at
 * 443 is a plain one to that port. Every other name and port stays foreign.
 */
exports.answerNames = (names) => {
  const tls = require('node:tls');
  const { connect: connectPlain } = require('node:net');
  const connect = tls.connect;
  tls.connect = function (...parts) {
    const [options] = parts;
    const known = typeof options === 'object' && Object.hasOwn(names, options.host) && Number(options.port) === 443;
    if (!known || options.socket) return connect.apply(this, parts);
    const socket = connectPlain({ host: '127.0.0.1', port: names[options.host] });
    const callback = parts.at(-1);
    if (typeof callback === 'function') socket.once('secureConnect', callback);
    socket.once('connect', () => socket.emit('secureConnect'));
    return socket;
  };
};

/** From here on every socket of this thread that would leave the machine is refused with an error that names its target. */
exports.refuseEgress = () => {
  guardSockets();
  guardNames();
  guardDetours();
  require('node:module').syncBuiltinESMExports();
};
