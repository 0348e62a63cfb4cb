import * as z from 'zod';
import { ROUTES, isMutation, type Route } from './routes.ts';

type Json = Record<string, unknown>;

const reference = (schema: z.ZodType): Json => {
  const id = z.globalRegistry.get(schema)?.id;
  if (id === undefined) throw new Error('A schema of a route needs an id (.meta({ id })) to stand in the document.');
  return { $ref: `#/components/schemas/${id}` };
};

const json = (schema: z.ZodType): Json => ({ 'application/json': { schema: reference(schema) } });

function parameters(route: Route): Json[] {
  const inPath = [...route.path.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const inQuery = (route.query ?? []).map(({ name, description }) => ({
    name,
    in: 'query',
    description,
    required: false,
    schema: { type: 'string' },
  }));
  const headers: Json[] = [];
  if (isMutation(route)) {
    headers.push({
      name: 'Idempotency-Key',
      in: 'header',
      required: true,
      description: 'A random key for this act; the same key sent again gets the same answer and does nothing twice.',
      schema: { type: 'string', pattern: '^[A-Za-z0-9_-]{8,80}$' },
    });
  }
  if (route.ifMatch !== undefined) {
    headers.push({
      name: 'If-Match',
      in: 'header',
      required: true,
      description: 'The digest of the proposal you saw, in double quotes.',
      schema: { type: 'string' },
    });
  }
  return [...inPath, ...inQuery, ...headers];
}

/** Problems that an operation may answer beside its success. */
function problemStatuses(route: Route): number[] {
  // The gateway looks at size and encoding of every request, also where no body is expected.
  const always = [400, 403, 404, 413, 415, 429, 500, 503];
  const signedIn = route.auth === 'caller' ? [401] : [];
  const written = route.method === 'GET' ? [] : [409];
  const keyed = isMutation(route) ? [422] : [];
  const matched = route.ifMatch === undefined ? [] : [412, 428];
  const own = route.problems ?? [];
  return [...signedIn, ...written, ...always, ...keyed, ...matched, ...own].sort((a, b) => a - b);
}

function operation(id: string, route: Route, problem: Json): Json {
  const problems = problemStatuses(route).map((status) => [
    String(status),
    { description: 'Problem (RFC 9457)', content: { 'application/problem+json': { schema: problem } } },
  ]);
  return {
    operationId: id,
    summary: route.summary,
    ...(route.auth === 'none' ? { security: [] } : {}),
    parameters: parameters(route),
    ...(route.body === undefined ? {} : { requestBody: { required: true, content: json(route.body) } }),
    responses: {
      [String(route.status)]: { description: 'Done', content: json(route.answer) },
      ...Object.fromEntries(problems),
    },
  };
}

/** Schemas as OpenAPI 3.0 components; the registry mode keeps references between them. */
function components(): Json {
  const { schemas } = z.toJSONSchema(z.globalRegistry, {
    target: 'openapi-3.0',
    io: 'input',
    uri: (id) => `#/components/schemas/${id}`,
  });
  // Each carries its own address as `$id`/`id`, which OpenAPI 3.0 does not know.
  return Object.fromEntries(
    Object.entries(schemas)
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([id, schema]) => {
        const { $id: _address, id: _name, ...rest } = schema as Json;
        return [id, rest];
      }),
  );
}

/** The API as an OpenAPI 3.0 document (API Gateway imports 3.0, not 3.1), made from the route table. */
export function openApi(problem: z.ZodType): Json {
  const paths: Record<string, Json> = {};
  for (const [id, route] of Object.entries(ROUTES) as [string, Route][]) {
    paths[route.path] = {
      ...paths[route.path],
      [route.method.toLowerCase()]: operation(id, route, reference(problem)),
    };
  }
  return {
    openapi: '3.0.3',
    info: {
      title: 'Valiza exchange',
      version: '1',
      description: 'Requests for information between nations under a security-of-information agreement.',
      license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
    },
    servers: [{ url: '/' }],
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer', bearerFormat: 'JWT' } },
      schemas: components(),
    },
  };
}
