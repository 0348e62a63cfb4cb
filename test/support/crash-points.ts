import type { Fault, FaultPoint } from '../../local/faults.ts';
import type { Life } from './lives.ts';

type Moment = FaultPoint['moment'];

/** Where a life is disturbed: at these calls of every function that works for it, in every act; or at named ones. */
export interface Disturbance {
  readonly fault: Fault;
  readonly moment: Moment;
  /** Which calls, counted from 1; or the one call of each act and function, by `<act> <function>`, that is named. */
  readonly at: readonly number[] | ReadonlyMap<string, string>;
}

interface Disturbed {
  readonly life: Life;
  readonly how: Disturbance | undefined;
  readonly counts: Map<string, number>;
  readonly fired: Set<string>;
}

interface Call {
  readonly nth: number;
  readonly name: string;
}

/** Calls that a function made for a life, by act and function: `<service>.<operation> <n>`, n counting that operation. */
export type Calls = ReadonlyMap<string, readonly string[]>;

const CASE_ID = /"caseId":\{"S":"([0-9a-f]{32})"\}/g;

/**
 * Aims faults at single lives that are led side by side. A call belongs to the life that it names, by the id of its case or one of its
 * idempotency keys; else to the one that the calling function was invoked for; else, when it works on several, to the one it named last.
 */
export class CrashPoints {
  /** The act that all lives are in; empty while nothing is to be disturbed. */
  act = '';
  readonly #lives = new Map<string, Disturbed>();
  readonly #byCase = new Map<string, Disturbed>();
  readonly #lastOf = new Map<string, Disturbed>();
  /** Calls under way, by instance and operation. */
  readonly #under = new Map<string, Call>();
  readonly #calls = new Map<Life, Map<string, string[]>>();
  /** What was disturbed: `<act> <function> <call> <moment>`. */
  readonly hit = new Set<string>();
  /** How many times a fault was injected. */
  hits = 0;

  readonly #roleWord: (roleName: string) => string;

  /** @param roleWord a short name of a role, by which a function is called here */
  constructor(roleWord: (roleName: string) => string) {
    this.#roleWord = roleWord;
  }

  follow(life: Life, how?: Disturbance): void {
    this.#lives.set(life.tag, { life, how, counts: new Map(), fired: new Set() });
  }

  /** From now on a call that names the case of a life, and no key of its, is of that life too. */
  recognise({ tag, caseId }: Life): void {
    const followed = this.#lives.get(tag);
    if (followed !== undefined && caseId !== '') this.#byCase.set(caseId, followed);
  }

  forget(lives: readonly Life[]): void {
    for (const { tag } of lives) this.#lives.delete(tag);
    for (const map of [this.#byCase, this.#lastOf])
      for (const [name, { life }] of map) if (lives.includes(life)) map.delete(name);
  }

  callsOf(life: Life): Calls {
    return this.#calls.get(life) ?? new Map();
  }

  /** What may be given to the runtime as its plan of faults. */
  readonly plan = (point: FaultPoint): Fault | undefined => {
    const { instance } = point;
    if (instance === undefined || this.act === '') return undefined;
    const found = this.#lifeOf(point, instance);
    if (found === undefined) return undefined;
    const place = `${this.act} ${this.#roleWord(point.caller)}`;
    const way = `${instance.id} ${point.service}.${point.operation}`;
    const call = point.moment === 'before' ? this.#count(found, place, point) : this.#under.get(way);
    if (call === undefined) return undefined;
    this.#under.set(way, call);
    return this.#disturb(found, place, call, point.moment);
  };

  #disturb({ how, fired }: Disturbed, place: string, { nth, name }: Call, moment: Moment): Fault | undefined {
    if (how === undefined || how.moment !== moment || fired.has(`${place} ${name}`)) return undefined;
    if (how.at instanceof Map ? how.at.get(place) !== name : !(how.at as readonly number[]).includes(nth))
      return undefined;
    fired.add(`${place} ${name}`);
    this.hits += 1;
    this.hit.add(`${place} ${name} ${moment}`);
    return how.fault;
  }

  /** Counts a call, and names it. */
  #count(found: Disturbed, place: string, { service, operation }: FaultPoint): Call {
    const add = (name: string): number => {
      const count = (found.counts.get(name) ?? 0) + 1;
      found.counts.set(name, count);
      return count;
    };
    const nth = add(place);
    const name = `${service}.${operation} ${add(`${place} ${service}.${operation}`)}`;
    const calls = this.#calls.get(found.life) ?? new Map<string, string[]>();
    this.#calls.set(found.life, calls.set(place, [...(calls.get(place) ?? []), name]));
    return { nth, name };
  }

  #lifeOf({ request }: FaultPoint, { id, event }: { id: string; event: string }): Disturbed | undefined {
    const named = this.#namedIn(request);
    const invokedFor = this.#namedIn(event);
    const last = this.#lastOf.get(id);
    const found =
      named[0] ??
      (invokedFor.length === 1 ? invokedFor[0] : last !== undefined && invokedFor.includes(last) ? last : undefined);
    if (found === undefined) return undefined;
    this.#lastOf.set(id, found);
    for (const [, caseId = ''] of request.matchAll(CASE_ID)) this.#byCase.set(caseId, found);
    return found;
  }

  /** The lives that a text names, each once. */
  #namedIn(text: string): readonly Disturbed[] {
    const named = new Set<Disturbed>();
    for (const [word] of text.matchAll(/life-[0-9a-f]{12}|[0-9a-f]{32}/g)) {
      const found = this.#lives.get(word) ?? this.#byCase.get(word);
      if (found !== undefined) named.add(found);
    }
    return [...named];
  }
}
