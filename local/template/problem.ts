import { DataDirectoryProblem } from '../durable-file.ts';

/** Why an assembly cannot be started: names stack, resource, type and property, as far as they are known. */
export class TemplateProblem extends Error {
  override readonly name = 'TemplateProblem';
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Prefixes whatever `work` throws with `where`. */
export async function within<T>(where: string, work: () => Promise<T> | T): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What is wrong with the data is not the template's.
    if (error instanceof DataDirectoryProblem) throw error;
    const known = error instanceof TemplateProblem;
    const message = error instanceof Error ? error.message : String(error);
    throw new TemplateProblem(`${where}: ${message}`, { cause: known ? error.cause : error });
  }
}
