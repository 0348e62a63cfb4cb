// The API reference as Markdown, made from the OpenAPI document alone.

const nameOf = (reference) => reference.split('/').pop();
const linkTo = (name) => `[${name}](#${name.toLowerCase()})`;

function typeOf(schema) {
  if (schema.$ref) return linkTo(nameOf(schema.$ref));
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(' or ');
  if (schema.anyOf || schema.oneOf) return (schema.anyOf ?? schema.oneOf).map(typeOf).join(' or ');
  if (schema.allOf) return schema.allOf.map(typeOf).join(' and ');
  if (schema.type === 'array') return `list of ${typeOf(schema.items ?? {})}`;
  if (schema.type === 'object' && schema.properties) return `object (${Object.keys(schema.properties).join(', ')})`;
  const limits = [
    schema.minLength && `at least ${schema.minLength}`,
    schema.maxLength && `at most ${schema.maxLength} characters`,
    schema.minimum !== undefined && `from ${schema.minimum}`,
    schema.maximum !== undefined && schema.maximum < Number.MAX_SAFE_INTEGER && `to ${schema.maximum}`,
    schema.pattern && `\`${schema.pattern.replaceAll('|', '\\|')}\``,
    schema.format === 'date-time' && 'an instant in UTC',
  ].filter(Boolean);
  return [schema.type ?? 'any', ...limits].join(', ') + (schema.nullable ? ' or null' : '');
}

function members(schema) {
  if (schema.anyOf || schema.oneOf) {
    return (schema.anyOf ?? schema.oneOf).flatMap((option, index) => [
      ...(index > 0 ? ['', 'or', ''] : []),
      ...members(option),
    ]);
  }
  const required = new Set(schema.required ?? []);
  const rows = Object.entries(schema.properties ?? {}).map(
    ([name, member]) => `| \`${name}\` | ${required.has(name) ? 'yes' : ''} | ${typeOf(member)} |`,
  );
  return rows.length === 0 ? ['(no members)'] : ['| member | required | value |', '|---|---|---|', ...rows];
}

function operationText(path, method, operation) {
  const inputs = operation.parameters.map(
    (parameter) =>
      `| \`${parameter.name}\` | ${parameter.in} | ${parameter.required ? 'yes' : ''} | ${parameter.description ?? ''} |`,
  );
  const body = operation.requestBody?.content['application/json'].schema.$ref;
  const [success, ...problems] = Object.entries(operation.responses);
  const answer = success[1].content['application/json'].schema.$ref;
  return [
    `### ${operation.operationId}: ${method.toUpperCase()} ${path}`,
    '',
    ...(operation.security?.length === 0 ? ['Open to anyone.', ''] : []),
    operation.summary,
    '',
    ...(inputs.length > 0 ? ['| parameter | in | required | |', '|---|---|---|---|', ...inputs, ''] : []),
    ...(body ? [`Body: ${linkTo(nameOf(body))}.`, ''] : []),
    `Answers ${success[0]} with ${linkTo(nameOf(answer))}; problems: ${problems.map(([status]) => status).join(', ')}.`,
    '',
  ];
}

/** @returns {string} Markdown, not yet formatted */
export function apiReference(document) {
  const operations = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).flatMap(([method, operation]) => operationText(path, method, operation)),
  );
  const schemas = Object.entries(document.components.schemas)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([name, schema]) => [
      `### ${name}`,
      '',
      ...(schema.description ? [schema.description, ''] : []),
      ...members(schema),
      '',
    ]);
  return [
    '# API reference',
    '',
    'Made from `lambdas/contracts/openapi.json` by `node scripts/write-openapi.mjs`; a test fails when it is stale. The document itself is served at `GET /v1/openapi.json`.',
    '',
    "Every call but the open ones carries `Authorization: Bearer` with a token of your nation's identity provider, at most ten minutes old. Every POST carries an `Idempotency-Key`: the same key sent again gets the same answer and does nothing twice. Errors are problem documents (RFC 9457) with a stable `code`, what to do `next`, a `traceId`, and a JSON Pointer for each member at fault. A case that is not yours and a case that does not exist get the same answer.",
    '',
    '## Operations',
    '',
    ...operations,
    '## Schemas',
    '',
    ...schemas,
  ].join('\n');
}
