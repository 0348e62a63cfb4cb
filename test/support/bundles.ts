import { localCode, readAssembly } from '../../local/assembly.ts';

/** The directories with the code of the functions of an assembly, by their names without the environment's. */
export function bundlesIn(assembly: string, environment: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const stack of readAssembly(assembly)) {
    // As every synthesised template has them.
    for (const { Type, Properties } of Object.values(stack.template['Resources'] as Record<string, Template>)) {
      if (Type !== 'AWS::Lambda::Function') continue;
      found.set(Properties.FunctionName.replace(`valiza-${environment}-`, ''), localCode(stack, Properties.Code));
    }
  }
  return found;
}

interface Template {
  readonly Type: string;
  readonly Properties: { readonly FunctionName: string; readonly Code: Record<string, unknown> };
}
