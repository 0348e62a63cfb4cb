/** Reads environment variables by name, all of them at once, so that a deployment that forgot three says three. */
export function readEnvironment<const K extends string>(
  names: readonly K[],
  source: Readonly<Record<string, string | undefined>> = process.env,
): Record<K, string> {
  const missing = names.filter((name) => (source[name] ?? '') === '');
  if (missing.length > 0) {
    throw new Error(`This function lacks the environment variables ${missing.join(', ')}. Deploy it with its stack.`);
  }
  // Every name was just found to be there.
  return Object.fromEntries(names.map((name) => [name, source[name]])) as Record<K, string>;
}
