import { attributeParts, intrinsicOf, selected, SUB_VARIABLE, subParts } from './intrinsics.ts';
import { isRecord, TemplateProblem } from './problem.ts';
import type { Scope } from './scope.ts';

/** Every name that a value refers to, branches that are not taken left out. */
function references(value: unknown, scope: Pick<Scope, 'conditions'>, found: Set<string>): void {
  const taken = selected(value, scope);
  if (Array.isArray(taken)) for (const item of taken) references(item, scope, found);
  const intrinsic = intrinsicOf(taken);
  if (intrinsic === undefined) {
    if (isRecord(taken)) for (const inner of Object.values(taken)) references(inner, scope, found);
    return;
  }
  const [name, argument] = intrinsic;
  if (name === 'Ref') found.add(String(argument));
  else if (name === 'Fn::GetAtt') found.add(attributeParts(argument)[0]);
  else if (name === 'Fn::Sub') {
    const [body, variables] = subParts(argument);
    for (const [, bang, inside = ''] of body.matchAll(SUB_VARIABLE))
      if (bang === '' && !Object.hasOwn(variables, inside.trim())) found.add(inside.trim().split('.')[0] ?? '');
    references(variables, scope, found);
  } else references(argument, scope, found);
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined ? [] : Array.isArray(value) ? value : [value];

/**
 * Logical ids in an order in which each resource follows what it refers to (Ref, Fn::GetAtt, Fn::Sub) and what it names in DependsOn.
 * @throws {TemplateProblem} naming the resources of a cycle
 */
export function creationOrder(
  resources: Readonly<Record<string, Readonly<Record<string, unknown>>>>,
  scope: Pick<Scope, 'conditions'>,
): readonly string[] {
  const ordered: string[] = [];
  const done = new Set<string>();
  const visit = (id: string, path: readonly string[]): void => {
    const resource = Object.hasOwn(resources, id) ? resources[id] : undefined;
    if (resource === undefined || done.has(id)) return;
    if (path.includes(id))
      throw new TemplateProblem(
        `resources depend on each other: ${[...path.slice(path.indexOf(id)), id].join(' -> ')}`,
      );
    const needed = new Set<string>(listOf(resource['DependsOn']).map(String));
    references(resource['Properties'], scope, needed);
    for (const other of needed) visit(other, [...path, id]);
    done.add(id);
    ordered.push(id);
  };
  for (const id of Object.keys(resources)) visit(id, []);
  return ordered;
}
