import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ExerciseIssuers } from '../../examples/exercise/issuer.ts';
import { NATIONS_OF_EXERCISE } from '../../examples/exercise/nations.ts';

export interface KeySets {
  /** Values of the template's parameters, by their names. */
  readonly parameters: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

const PARAMETERS = { CAN: 'CanadianKeySet', UKR: 'UkrainianKeySet' } as const;

/** Serves the public keys of the exercise's identity providers on loopback, as real ones serve theirs. */
export async function serveKeySets(issuers: ExerciseIssuers): Promise<KeySets> {
  const server = createServer((request, response) => {
    const nation = NATIONS_OF_EXERCISE.find((name) => request.url === `/${name.toLowerCase()}/jwks.json`);
    response.writeHead(nation === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(nation === undefined ? {} : issuers.jwks(nation)));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // a TCP server that listens has one
  return {
    parameters: Object.fromEntries(
      NATIONS_OF_EXERCISE.map((nation) => [
        PARAMETERS[nation],
        `http://127.0.0.1:${port}/${nation.toLowerCase()}/jwks.json`,
      ]),
    ),
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
