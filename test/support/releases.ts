import { resourcesOf, verifyWhole, type Scene } from './exchange.ts';

type Template = Record<string, unknown>;

/** Changes a parsed template, as `amend` takes it. */
export type Amendment = (stack: string, template: Template) => void;

interface ReleaseWish {
  /** Whose versions go when the next release takes their place, by the beginning of their logical ids; all stay unless told. */
  readonly loses?: RegExp;
}

interface Versioned {
  readonly Type: string;
  DeletionPolicy?: string;
  Properties: Record<string, unknown>;
}

/**
 * Another release of the same application: its step functions are visibly others (a variable of their own, and so versions of their own),
 * and its workflow begins with a state more, which is named after it.
 */
export const release =
  (name: string, { loses }: ReleaseWish = {}): Amendment =>
  (_stack, template) => {
    const versions = resourcesOf(template).filter(([, { Type }]) => Type === 'AWS::Lambda::Version');
    if (versions.length === 0) return;
    const steps = versions.map(([, { Properties }]) => (Properties['FunctionName'] as { Ref: string }).Ref);
    let text = JSON.stringify(template['Resources']);
    // The CDK names a version after everything that it publishes.
    for (const [id] of versions) text = text.replaceAll(id, `${id.slice(0, -name.length)}${name}`);
    text = text.replaceAll(
      String.raw`{\"StartAt\":\"Assess request\",\"States\":{`,
      String.raw`{\"StartAt\":\"Release ${name}\",\"States\":{\"Release ${name}\":{\"Type\":\"Pass\",\"Next\":\"Assess request\"},`,
    );
    const resources = JSON.parse(text) as Record<string, Versioned>;
    for (const [id, resource] of Object.entries(resources)) {
      if (resource.Type === 'AWS::Lambda::Version' && loses?.test(id) === true) resource.DeletionPolicy = 'Delete';
      if (!steps.includes(id)) continue;
      const { Variables } = resource.Properties['Environment'] as { Variables: Record<string, unknown> };
      Variables['RELEASE'] = name;
    }
    template['Resources'] = resources;
  };

/** Each execution of a case, in order: how it stands, which states it entered, and which versions of functions it invoked. */
export function attemptsOf(
  scene: Scene,
  caseId: string,
): { readonly status: string; readonly states: readonly string[]; readonly versions: readonly string[] }[] {
  const { states } = scene.runtime.services;
  return states
    .executions()
    .filter(({ name }) => name.startsWith(caseId))
    .toSorted((one, other) => (one.name < other.name ? -1 : 1))
    .map(({ arn, status }) => {
      const history = states.history(arn);
      const invoked = history.flatMap(({ type, details }) =>
        type === 'TaskScheduled' ? [String(details['taskScheduledEventDetails']?.['parameters'])] : [],
      );
      const versions = invoked.map((text) => (JSON.parse(text) as { FunctionName: string }).FunctionName.split(':')[7]);
      return {
        status,
        states: history
          .filter(({ type }) => type.endsWith('StateEntered'))
          .map(({ details }) => String(details['stateEnteredEventDetails']?.['name'])),
        versions: [...new Set(versions.map((version) => version ?? '$LATEST'))].toSorted(),
      };
    });
}

/** Carries a case from wherever it stands to its end, by a recall. @returns the types of its events */
export async function finishCase(scene: Scene, caseId: string): Promise<string[]> {
  const { who, runtime } = scene;
  const params = { caseId };
  await runtime.settled();
  let current = await scene.read(caseId);
  if (current.phase === 'AWAITING_CLARIFICATION')
    await scene.as(who.requester).clarify({ params, body: { answer: 'The first.' } });
  current = await scene.read(caseId);
  if (current.phase === 'UNDER_REVIEW') {
    if (current.proposal === undefined) current = await scene.propose(caseId);
    await scene.approve(current, who.releasing);
    await scene.approve(current, who.security);
    current = await scene.waitFor(caseId, 'AWAITING_ASSURANCE');
  }
  if (current.phase === 'AWAITING_ASSURANCE') {
    await scene.assure(current);
    current = await scene.waitFor(caseId, 'RELEASED');
  }
  if (['RELEASED', 'SUSPENDED'].includes(current.phase))
    await scene.as(who.security).recallRelease({ params, body: { reason: 'The exercise is over.' } });
  await scene.waitFor(caseId, 'CLOSED');
  await runtime.settled();
  const { events } = await scene.as(who.desk).readEvents({ params });
  verifyWhole(caseId, events);
  // Nothing of it is left behind.
  for (const bucket of ['deposits', 'packages'] as const) {
    const left = await scene.objectsOf(caseId, bucket);
    if (left.length > 0) throw new Error(`${left.length} objects are left in ${bucket}.`);
  }
  return events.map(({ type }) => type);
}
