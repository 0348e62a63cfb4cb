import { BatchGetItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CrashPoints, type Calls, type Disturbance } from './crash-points.ts';
import { MINUTE, openScene, type Scene, type SceneOptions } from './exchange.ts';
import { insiderOf, type Insider } from './insider.ts';
import { fileOf, leftOf, mailsOf } from './life-end.ts';
import { insist, minutesUntil, newLife, SECOND_RECIPIENT, STORIES, type Act, type Life, type Story } from './lives.ts';

/** Lives that are led side by side: more would only wait for each other. */
const AT_ONCE = 8;

type Way = Pick<Disturbance, 'fault' | 'moment'>;

/** How an undisturbed life goes: what every other is held to. */
export interface Reference {
  readonly file: readonly string[];
  readonly mails: ReadonlyMap<string, number>;
  readonly calls: Calls;
}

export interface Stage {
  readonly scene: Scene;
  readonly insider: Insider;
  readonly points: CrashPoints;
  /** Events that were put on the bus: `<case> <sequence>`, with how often. */
  readonly told: Map<string, number>;
  close(): Promise<void>;
}

/** An exchange on which lives can be disturbed. */
export async function openStage(options: SceneOptions = {}): Promise<Stage> {
  const scene = await openScene(options);
  if (options.people !== false) await scene.enterRecipient(SECOND_RECIPIENT);
  const insider = insiderOf(scene);
  const told = new Map<string, number>();
  // The logical id, without the stack before it and the hash behind it.
  const points = new CrashPoints((name) => name.replace(/^.*-(?=\w+$)|Role[0-9A-F]{0,8}.*$/g, ''));
  scene.runtime.faults.plan = (point) => {
    const bus = /\\"caseId\\":\\"(\w+)\\",\\"sequence\\":(\d+)/.exec(point.service === 'events' ? point.request : '');
    if (bus !== null && point.moment === 'after') {
      const name = `${bus[1]} ${bus[2]}`;
      told.set(name, (told.get(name) ?? 0) + 1);
    }
    return points.plan(point);
  };
  const close = async (): Promise<void> => {
    insider.close();
    await scene.close();
  };
  return { scene, insider, points, told, close };
}

/** The heads of lives, in their order, in one call and with one client: they are asked for every minute. */
async function headsOf(
  { scene, insider }: Stage,
  lives: readonly Life[],
): Promise<readonly { phase: string | undefined; sequence: number }[]> {
  const { runtime } = scene;
  const client = new DynamoDBClient({
    region: runtime.region,
    endpoint: runtime.url,
    credentials: runtime.credentialsFor(scene.roleNamed('apiRole')),
    systemClockOffset: runtime.clock.offset,
  });
  const Keys = lives.map(({ caseId }) => ({ caseId: { S: caseId }, sk: { S: 'HEAD' } }));
  const answer = await client.send(
    new BatchGetItemCommand({ RequestItems: { [insider.cases]: { Keys, ConsistentRead: true } } }),
  );
  client.destroy();
  const items = answer.Responses?.[insider.cases] ?? [];
  return lives.map(({ caseId }) => {
    const item = items.find((row) => row['caseId']?.S === caseId);
    return { phase: item?.['phase']?.S, sequence: Number(item?.['sequence']?.N) };
  });
}

/** Leads lives through an act, and waits until everything that follows from it has happened in all of them. */
export async function perform(stage: Stage, act: Act, lives: readonly Life[]): Promise<void> {
  const { scene } = stage;
  await Promise.all(lives.map((life) => act.do(scene, life)));
  if (act.until !== undefined) {
    await scene.runtime.settled();
    const seen = await Promise.all(lives.map(({ caseId }) => insist(() => scene.read(caseId))));
    await scene.runtime.clock.advanceTo(Math.max(...seen.map(act.until)));
  }
  let phases: readonly (string | undefined)[] = [];
  await minutesUntil(
    scene,
    () => `${act.name} to ${act.to}: ${lives.map(({ caseId }, index) => `${caseId} ${phases[index]}`).join(', ')}`,
    async () => {
      phases = (await headsOf(stage, lives)).map(({ phase }) => phase);
      return phases.every((phase) => phase === act.to);
    },
    1,
  );
}

/** What in a life is not as in one that nobody disturbed; the sweep has had the time it needs. */
export async function differences(
  stage: Stage,
  life: Life,
  reference: Reference,
  struck = 1,
): Promise<readonly string[]> {
  const { scene, insider, told } = stage;
  const found = (await leftOf(scene, insider, life)).map((what) => `left over: ${what}`);
  const file = await fileOf(insider, life.caseId);
  if (JSON.stringify(file) !== JSON.stringify(reference.file)) {
    const first = file.findIndex((event, index) => event !== reference.file[index]);
    found.push(`file of ${file.length} events, ${reference.file.length} expected; first other: ${file[first]}`);
  }
  const mails = mailsOf(scene, life);
  for (const [mail, times] of reference.mails) {
    const sent = mails.get(mail) ?? 0;
    if (sent < times || sent > (1 + struck) * times) found.push(`mail sent ${sent} times instead of ${times}: ${mail}`);
  }
  for (const mail of mails.keys()) if (!reference.mails.has(mail)) found.push(`mail that nobody expects: ${mail}`);
  const [head] = await headsOf(stage, [life]);
  for (let event = 1; event <= (head?.sequence ?? 0); event += 1) {
    const times = told.get(`${life.caseId} ${event}`) ?? 0;
    if (times < 1 || times > 1 + struck) found.push(`event ${event} told ${times} times`);
  }
  return found;
}

/** Time for the sweep after a case has ended, in minutes. */
const SETTLING = 5;

/** Leads lives through a story; what happens before `from` is not disturbed. */
async function lead(stage: Stage, story: Story, from: string, lives: readonly Life[]): Promise<void> {
  const acts: readonly Act[] = STORIES[story];
  const first = acts.findIndex(({ name }) => name === from);
  for (const [index, act] of acts.entries()) {
    stage.points.act = index < first ? '' : act.name;
    for (const life of lives) stage.points.recognise(life);
    await perform(stage, act, lives);
  }
  stage.points.act = '';
  await stage.scene.runtime.clock.advance(SETTLING * MINUTE);
  await stage.scene.runtime.settled();
}

/** Leads one life that nobody disturbs. @throws when something is left of it */
export async function undisturbed(stage: Stage, story: Story, from: string): Promise<Reference> {
  const life = newLife();
  stage.points.follow(life);
  await lead(stage, story, from, [life]);
  const { scene, insider, points } = stage;
  const reference = {
    file: await fileOf(insider, life.caseId),
    mails: mailsOf(scene, life),
    calls: points.callsOf(life),
  };
  const odd = await differences(stage, life, reference);
  if (odd.length > 0) throw new Error(`A life that nobody disturbed: ${odd.join('; ')}`);
  return reference;
}

/** Leads lives that no call is taken from side by side, and says what came out differently. */
export async function leadTogether(
  stage: Stage,
  story: Story,
  reference: Reference,
  count = AT_ONCE,
): Promise<readonly string[]> {
  const lives = Array.from({ length: count }, () => newLife());
  await lead(stage, story, 'submit', lives);
  const found = await Promise.all(lives.map((life) => differences(stage, life, reference)));
  return found.flat();
}

/** Leads one life for each disturbance, and says what came out differently. */
async function disturbed(
  stage: Stage,
  story: Story,
  from: string,
  reference: Reference,
  how: readonly Disturbance[],
): Promise<readonly string[]> {
  const found: string[] = [];
  for (let begin = 0; begin < how.length; begin += AT_ONCE) {
    const group = how.slice(begin, begin + AT_ONCE).map((disturbance) => ({ disturbance, life: newLife() }));
    const lives = group.map(({ life }) => life);
    for (const { disturbance, life } of group) stage.points.follow(life, disturbance);
    await lead(stage, story, from, lives);
    for (const { disturbance, life } of group) {
      const { fault, moment, at } = disturbance;
      const name = `${fault} ${moment} call ${[...at].join()}`;
      // Each time that a function crashes between telling and noting that it has told, it tells once more.
      const struck = [...at].length;
      const odd = await differences(stage, life, reference, struck);
      found.push(...odd.map((what) => `${story}, ${name}: ${what}`));
    }
    stage.points.forget(lives);
  }
  return found;
}

/** So far apart are the calls of one function and act that are disturbed in one life: it has got over one before the next. */
const APART = 7;

/** Lives in which, between them, every call of a function is disturbed, counted in the order in which it makes them in an act. */
function everyPlace({ calls }: Reference, ways: readonly Way[]): readonly Disturbance[] {
  const longest = Math.max(...[...calls.values()].map((row) => row.length));
  const places = Array.from({ length: longest }, (_, index) => index + 1);
  return Array.from({ length: Math.min(APART, longest) }, (_, first) =>
    ways.map((way) => ({ ...way, at: places.filter((place) => place % APART === (first + 1) % APART) })),
  ).flat();
}

/** Functions that take what has come together of a case: how often they call for it depends on the moment. */
const CONSUMERS = ['announce', 'resumeworkflow', 'sweepcases'];

/** Disturbances at calls of the reference that were missed: in each life one of each act and function. */
function missing({ points }: Stage, { calls }: Reference, way: Way): readonly Disturbance[] {
  const wasHit = (place: string, call: string): boolean => {
    const [operation = ''] = call.split(' ');
    const any = CONSUMERS.some((name) => place.endsWith(` ${name}`));
    return [...points.hit].some(
      (hit) => hit.startsWith(`${place} ${any ? operation : call} `) && hit.endsWith(` ${way.moment}`),
    );
  };
  const open = [...calls].map(([place, row]) => ({ place, row: row.filter((call) => !wasHit(place, call)) }));
  const longest = Math.max(0, ...open.map(({ row }) => row.length));
  return Array.from({ length: longest }, (_, index) => ({
    ...way,
    at: new Map(open.flatMap(({ place, row }) => (row[index] === undefined ? [] : [[place, row[index]] as const]))),
  }));
}

/** How often calls are looked for that others had moved to another place. */
const ROUNDS = 3;

/**
 * Share of calls that may not be met at their turn: which function comes first differs from life to life, and with it the number that a call
 * has; one that is missed under its number is met under another.
 */
export const FEW_MISSED = 0.05;

/** Disturbs every call of the reference in each way: says what came out differently, and which calls were never met. */
export async function everyCall(
  stage: Stage,
  story: Story,
  from: string,
  reference: Reference,
  ways: readonly Way[],
): Promise<{ readonly found: readonly string[]; readonly missed: readonly string[] }> {
  const left = (): readonly Disturbance[] => ways.flatMap((way) => missing(stage, reference, way));
  const found = [...(await disturbed(stage, story, from, reference, everyPlace(reference, ways)))];
  for (let round = 1; round <= ROUNDS && left().length > 0; round += 1)
    found.push(...(await disturbed(stage, story, from, reference, left())));
  const missed = left().flatMap(({ at, moment }) =>
    at instanceof Map ? [...at].map(([place, call]) => `${place} ${call} ${moment}`) : [],
  );
  return { found, missed };
}
