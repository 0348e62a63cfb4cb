import type { Templates } from '../support/template.ts';

type Json = Readonly<Record<string, unknown>>;

/** A template in which the names of the environment itself are taken out, with the hashes that the CDK makes of them. */
function neutral({ environment, whole }: Templates, stack: 'vault' | 'exchange'): Json {
  const { name, account } = environment;
  const text = JSON.stringify(whole[stack])
    .replaceAll(account, 'account')
    .replaceAll(name, 'environment')
    .replaceAll(new RegExp(`\\w*${name.replaceAll('-', '')}\\w*`, 'g'), (id) =>
      id.replace(name.replaceAll('-', ''), '').replaceAll(/[0-9A-F]{8}/g, ''),
    )
    // A deployment of the API and a version of a function are named after everything that they deploy.
    .replaceAll(/((?:Deployment|CurrentVersion)[0-9A-F]{8})[0-9a-f]{32}/g, '$1');
  return JSON.parse(text) as Json;
}

/** The paths at which two values differ; a member that only one of them has is a difference as a whole. */
function differences(one: unknown, other: unknown, path: readonly string[] = []): string[] {
  if (JSON.stringify(one) === JSON.stringify(other)) return [];
  const comparable = [one, other].every((value) => typeof value === 'object' && value !== null);
  if (!comparable) return [path.join('.')];
  const [a, b] = [one as Json, other as Json];
  const members = new Set([...Object.keys(a), ...Object.keys(b)]);
  return [...members].flatMap((member) => differences(a[member], b[member], [...path, member]));
}

/** Where the templates of two environments differ, beside their own names; all log groups count as one. */
export function differencesBetween(one: Templates, other: Templates): string[] {
  const paths = (['vault', 'exchange'] as const).flatMap((stack) =>
    differences(neutral(one, stack), neutral(other, stack), [stack]),
  );
  const told = paths.map((path) =>
    path
      .replace(/(\.Resources)\.\w*Log[0-9A-F]{8}\./, '$1.*Log.')
      .replace('.Resources', '')
      .replace('.Properties', '')
      .replace(/(?<=[a-z])[0-9A-F]{8}(?=\.|$)/, ''),
  );
  return [...new Set(told)].toSorted();
}
