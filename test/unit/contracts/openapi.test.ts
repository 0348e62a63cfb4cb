import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { problem } from '../../../lambdas/contracts/api-answers.ts';
import { openApi } from '../../../lambdas/contracts/openapi.ts';
import committed from '../../../lambdas/contracts/openapi.json' with { type: 'json' };
import { isMutation, ROUTES, type Route } from '../../../lambdas/contracts/routes.ts';

const REPOSITORY = join(__dirname, '..', '..', '..');
const VALIDATOR = join(REPOSITORY, 'node_modules/@seriousme/openapi-schema-validator/bin/validate-api-cli.js');

interface Operation {
  readonly operationId: string;
  readonly security?: readonly unknown[];
  readonly requestBody?: unknown;
  readonly parameters: readonly { readonly name: string; readonly in: string; readonly required: boolean }[];
  readonly responses: Readonly<Record<string, { readonly content: Readonly<Record<string, unknown>> }>>;
}

const OPERATIONS = Object.entries(
  committed.paths as Readonly<Record<string, Readonly<Record<string, Operation>>>>,
).flatMap(([path, methods]) => Object.entries(methods).map(([method, operation]) => ({ path, method, operation })));
const operationOf = (id: string): Operation => {
  const found = OPERATIONS.find(({ operation }) => operation.operationId === id)?.operation;
  if (found === undefined) throw new Error(`The document has no operation ${id}.`);
  return found;
};

it('is what the routes say now', () => {
  expect(committed).toEqual(JSON.parse(JSON.stringify(openApi(problem))));
});

it('is written as it stands by the script, and so is the reference made from it', () => {
  const { stderr, status } = spawnSync(process.execPath, ['scripts/write-openapi.mjs', '--check'], {
    cwd: REPOSITORY,
    encoding: 'utf8',
  });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
}, 30_000);

it('is valid OpenAPI 3.0, which API Gateway imports', () => {
  expect(committed.openapi).toMatch(/^3\.0\.\d$/);
  // The validator is an ES module that finds its schemas beside itself, so it runs as the program that it is.
  const { stdout, status } = spawnSync(
    process.execPath,
    [VALIDATOR, join(REPOSITORY, 'lambdas/contracts/openapi.json')],
    {
      encoding: 'utf8',
    },
  );
  expect(JSON.parse(stdout)).toEqual({ valid: true });
  expect(status).toBe(0);
});

it('has an operation for every route, and a route for every operation', () => {
  const said = OPERATIONS.map(({ path, method, operation }) => [operation.operationId, method.toUpperCase(), path]);
  const routes = Object.entries<Route>(ROUTES).map(([id, { method, path }]) => [id, method, path]);
  expect(said.length).toBeGreaterThan(0);
  expect(said.toSorted()).toEqual(routes.toSorted());
});

it('names nothing that it does not define, and defines nothing that it does not name', () => {
  const named = [...JSON.stringify(committed).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
    ([, id]) => id,
  );
  expect(new Set(named)).toEqual(new Set(Object.keys(committed.components.schemas)));
});

describe.each(Object.entries<Route>(ROUTES))('%s', (id, route) => {
  const operation = operationOf(id);
  const parameter = (name: string): unknown => operation.parameters.find((candidate) => candidate.name === name);

  it('says who may call it, and with what', () => {
    expect(operation.security).toEqual(route.auth === 'none' ? [] : undefined);
    expect(operation.requestBody !== undefined).toBe(route.body !== undefined);
    const inPath = operation.parameters.filter((candidate) => candidate.in === 'path').map(({ name }) => name);
    expect(inPath).toEqual([...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name));
    const required = expect.objectContaining({ in: 'header', required: true });
    expect(parameter('Idempotency-Key')).toEqual(isMutation(route) ? required : undefined);
    expect(parameter('If-Match')).toEqual(route.ifMatch === undefined ? undefined : required);
  });

  it('answers one success, and problems as problem documents', () => {
    const { [String(route.status)]: success, ...others } = operation.responses;
    expect(Object.keys(success?.content ?? {})).toEqual(['application/json']);
    const statuses = Object.keys(others).map(Number);
    expect(statuses.every((status) => status >= 400)).toBe(true);
    expect(statuses).toEqual(expect.arrayContaining([400, 403, 404, 429, 500, 503]));
    expect(statuses.includes(401)).toBe(route.auth === 'caller');
    for (const { content } of Object.values(others)) {
      expect(content).toEqual({ 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } });
    }
  });
});
