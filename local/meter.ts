/** Counts every AWS call that reached a service, by service and operation, so that a case's bill can be computed. */
export class Meter {
  #counts = new Map<string, Map<string, number>>();

  /** @param amount more than one where a service bills units (states entered, capacity units) */
  count(service: string, operation: string, amount = 1): void {
    let operations = this.#counts.get(service);
    if (operations === undefined) this.#counts.set(service, (operations = new Map()));
    operations.set(operation, (operations.get(operation) ?? 0) + amount);
  }

  /** `{ service: { operation: count } }`, keys sorted. */
  read(): Record<string, Record<string, number>> {
    const sorted = <T>(map: Map<string, T>): [string, T][] => [...map.entries()].sort(([a], [b]) => (a < b ? -1 : 1));
    return Object.fromEntries(
      sorted(this.#counts).map(([service, operations]) => [service, Object.fromEntries(sorted(operations))]),
    );
  }

  reset(): void {
    this.#counts.clear();
  }
}
