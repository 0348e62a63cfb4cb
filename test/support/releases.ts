import { resourcesOf, type Scene } from './exchange.ts';

type Template = Record<string, unknown>;

/** Changes a parsed template, as `amend` takes it. */
export type Amendment = (stack: string, template: Template) => void;

interface ReleaseWish {
  /** Whether its versions stay when the next release takes their place; they do unless told. */
  readonly keepsVersions?: boolean;
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
  (name: string, { keepsVersions = true }: ReleaseWish = {}): Amendment =>
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
      if (resource.Type === 'AWS::Lambda::Version' && !keepsVersions) resource.DeletionPolicy = 'Delete';
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
