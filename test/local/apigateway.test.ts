import { X509Certificate } from 'node:crypto';
import { ServiceError } from '../../local/service.ts';
import type { Properties } from '../../local/resource.ts';
import { type Answer, TestApi, uri } from '../support/api-gateway.ts';
import { CAN_CERTIFICATE } from '../support/client-certificates.ts';
import { testHost } from '../support/edge-services.ts';
import type { WireJson } from '../support/wire-json.ts';

const NOON = Date.parse('2027-03-01T12:00:00Z');
const ARN = 'arn:aws:execute-api:ca-central-1:111122223333';
const allow = (Resource: string | string[], context?: object): object => ({
  principalId: 'officer',
  policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource }] },
  ...(context && { context }),
});

describe('an API', () => {
  const host = testHost({ now: NOON });
  const api = new TestApi(host);
  const event = (): Record<string, WireJson> => api.invoked.at(-1)?.event ?? {};
  const message = (answer: Answer): unknown => JSON.parse(answer.body).message;

  beforeAll(async () => {
    await api.start();
    const CUSTOM = {
      AuthorizationType: 'CUSTOM',
      AuthorizerId: await api.make('Authorizer', 'Authorizer', {
        RestApiId: api.id,
        Name: 'authorizer',
        Type: 'REQUEST',
        AuthorizerUri: uri('authorizer'),
        AuthorizerResultTtlInSeconds: 0,
        IdentitySource: 'method.request.header.Authorization',
      }),
    };
    const RequestValidatorId = await api.make('RequestValidator', 'Validator', {
      RestApiId: api.id,
      ValidateRequestParameters: true,
    });
    await api.method('/cases', 'GET', 'list');
    await api.method('/cases', 'POST', 'submit');
    await api.method('/cases/{id}', 'GET', 'show', CUSTOM);
    await api.method('/cases/{id}/notes', 'ANY', 'notes');
    await api.method('/cases/mine', 'GET', 'mine');
    await api.method('/files/{proxy+}', 'ANY', 'files');
    await api.method('/slow', 'GET', 'slow', {
      Integration: { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri('slow'), TimeoutInMillis: 50 },
    });
    await api.method('/needy', 'GET', 'list', {
      RequestValidatorId,
      RequestParameters: {
        'method.request.querystring.since': true,
        'method.request.header.x-a': true,
        'method.request.querystring.to': false,
      },
    });
    await api.deploy();
    await api.method('/late', 'GET', 'list');
  });
  afterAll(() => api.stop());
  beforeEach(() => {
    api.invoked.length = 0;
    for (const name of ['list', 'submit', 'show', 'notes', 'mine', 'files'])
      api.functions[name] = () => ({ statusCode: 200, body: name });
    api.functions['slow'] = () => new Promise((resolve) => setTimeout(resolve, 300));
    api.functions['authorizer'] = () => allow('*');
  });

  describe('under its own name', () => {
    const under = (path: string, name = `${api.id}.execute-api.ca-central-1.amazonaws.com`) =>
      api.send('GET', path, { headers: { host: name } });

    it.each(['/cases', '/v2/cases', '/v1x/cases', '/'])('refuses %s, which is not below its stage', async (path) => {
      const answer = await under(path);
      expect(answer).toMatchObject({ status: 403, headers: { 'x-amzn-errortype': 'ForbiddenException' } });
      expect(message(answer)).toBe('Forbidden');
      expect(api.invoked).toEqual([]);
    });

    it('knows the stage in the context alone', async () => {
      expect(api.gateway.hostName()).toBe(`${api.id}.execute-api.ca-central-1.amazonaws.com`);
      expect(await under('/v1/cases/mine')).toMatchObject({ status: 200, body: 'mine' });
      expect(event()).toMatchObject({ path: '/cases/mine', requestContext: { path: '/v1/cases/mine', stage: 'v1' } });
      expect(api.invoked.at(-1)?.caller.sourceArn).toBe(`${ARN}:${api.id}/v1/GET/cases/mine`);
      expect(await under('/v1')).toMatchObject({
        status: 403,
        headers: { 'x-amzn-errortype': 'MissingAuthenticationTokenException' },
      });
    });

    it('has no stage before its paths under any other name', async () => {
      expect(await under('/v1/cases', 'api.example.org')).toMatchObject({ status: 403 });
    });
  });

  it('serves nothing under its own name once that is switched off', async () => {
    const custom = new TestApi(testHost({ now: NOON }));
    await custom.start({ DisableExecuteApiEndpoint: true });
    custom.functions['list'] = () => ({ statusCode: 200, body: 'list' });
    await custom.method('/cases', 'GET', 'list');
    await custom.deploy();
    const name = custom.gateway.hostName() ?? '';
    expect(await custom.send('GET', '/v1/cases', { headers: { host: name } })).toMatchObject({ status: 403 });
    expect(custom.invoked).toEqual([]);
    expect(await custom.send('GET', '/cases')).toMatchObject({ status: 200 });
    await custom.stop();
  });

  describe('without a method', () => {
    it.each(['/', '/other', '/cases/', '/cases/1/2', '/files', '/late', '//cases'])('refuses %s', async (path) => {
      const answer = await api.send('GET', path);
      expect(answer).toMatchObject({
        status: 403,
        headers: { 'x-amzn-errortype': 'MissingAuthenticationTokenException' },
      });
      expect(message(answer)).toBe('Missing Authentication Token');
      expect(api.invoked).toEqual([]);
    });

    it('refuses a method that the resource does not have', async () => {
      expect(await api.send('DELETE', '/cases')).toMatchObject({ status: 403 });
    });
  });

  it.each([
    ['/cases', 'list', null],
    ['/cases/mine', 'mine', null],
    ['/cases/mine/notes', 'notes', { id: 'mine' }],
    ['/cases/a%2Fb/notes', 'notes', { id: 'a/b' }],
    ['/files/a/b%20c', 'files', { proxy: 'a/b c' }],
  ])('routes %s to %s', async (path, name, pathParameters) => {
    expect(await api.send('GET', path)).toMatchObject({ status: 200, body: name });
    expect(event()).toMatchObject({ pathParameters, path });
  });

  it('hands the request on in the shape of a proxy event', async () => {
    host.meter.reset();
    const answer = await api.send('POST', '/cases?a=1&a=2&b=%C3%A9', {
      headers: { 'Content-Type': 'application/json', 'X-Many': ['1', '2'], 'User-Agent': 'tester' },
      body: '{"é":1}',
    });
    expect(answer.status).toBe(200);
    expect(api.invoked).toMatchObject([
      {
        name: 'submit',
        caller: { kind: 'service', principal: 'apigateway.amazonaws.com', sourceArn: `${ARN}:${api.id}/v1/POST/cases` },
      },
    ]);
    expect(event()).toEqual({
      resource: '/cases',
      path: '/cases',
      httpMethod: 'POST',
      headers: expect.objectContaining({
        'Content-Type': 'application/json',
        'X-Many': '2',
        'X-Forwarded-For': '127.0.0.1',
      }),
      multiValueHeaders: expect.objectContaining({ 'X-Many': ['1', '2'], 'User-Agent': ['tester'] }),
      queryStringParameters: { a: '2', b: 'é' },
      multiValueQueryStringParameters: { a: ['1', '2'], b: ['é'] },
      pathParameters: null,
      stageVariables: null,
      body: '{"é":1}',
      isBase64Encoded: false,
      requestContext: expect.objectContaining({
        accountId: '111122223333',
        apiId: api.id,
        domainName: 'api.example.org',
        domainPrefix: 'api',
        httpMethod: 'POST',
        identity: expect.objectContaining({ sourceIp: '127.0.0.1', userAgent: 'tester' }),
        path: '/cases',
        protocol: 'HTTP/1.1',
        requestId: answer.headers['x-amzn-requestid'],
        extendedRequestId: answer.headers['x-amz-apigw-id'],
        requestTime: expect.stringMatching(/^01\/Mar\/2027:12:\d\d:\d\d \+0000$/),
        requestTimeEpoch: expect.any(Number),
        resourcePath: '/cases',
        stage: 'v1',
      }),
    });
    expect(event()['headers']).not.toHaveProperty('connection');
    expect(host.meter.read()).toEqual({ apigateway: { Request: 1 } });
  });

  it('has no body, query or parameters where there are none', async () => {
    await api.send('GET', '/cases');
    expect(event()).toMatchObject({ body: null, queryStringParameters: null, multiValueQueryStringParameters: null });
  });

  it('follows the virtual clock in its Date header', async () => {
    expect((await api.send('GET', '/cases')).headers['date']).toMatch(/^Mon, 01 Mar 2027 12:/);
    await host.clock.advance(86_400_000);
    expect((await api.send('GET', '/other')).headers['date']).toMatch(/^Tue, 02 Mar 2027 12:/);
  });

  describe('answers', () => {
    it.each<[string, unknown]>([
      ['nothing', null],
      ['a text', 'ok'],
      ['no status', { body: 'x' }],
      ['a status that is none', { statusCode: 99 }],
      ['an object as body', { statusCode: 200, body: {} }],
      ['an unknown member', { statusCode: 200, cookies: [] }],
      ['an object as header', { statusCode: 200, headers: { a: {} } }],
      ['a header with a line break', { statusCode: 200, headers: { a: 'b\r\nc: d' } }],
      ['an error', new Error('secret detail')],
    ])('502 when the function answers %s', async (_, answer) => {
      api.functions['list'] = () => answer;
      const refused = await api.send('GET', '/cases');
      expect(refused).toMatchObject({ status: 502, body: '{"message":"Internal server error"}' });
      expect(refused.headers['x-amzn-errortype']).toBe('InternalServerErrorException');
      expect(api.gateway.problems().at(-1)).toContain('GET /cases: INTEGRATION_FAILURE');
    });

    it('500 when the function may not be invoked', async () => {
      api.functions['list'] = () => {
        throw new Error('AccessDenied');
      };
      expect(await api.send('GET', '/cases')).toMatchObject({
        status: 500,
        body: '{"message":"Internal server error"}',
      });
      expect(api.gateway.problems().at(-1)).toContain('AccessDenied');
    });

    it('504 when the function takes too long', async () => {
      expect(await api.send('GET', '/slow')).toMatchObject({
        status: 504,
        body: '{"message":"Endpoint request timed out"}',
      });
    });

    it('sends status, headers and body on, and renames the headers that the gateway writes itself', async () => {
      api.functions['list'] = () => ({
        statusCode: '401',
        headers: {
          'Content-Type': 'application/problem+json',
          'WWW-Authenticate': 'Bearer',
          Date: 'x',
          'X-Number': 1,
          'set-cookie': 'z',
        },
        multiValueHeaders: { 'Set-Cookie': ['a=1', 'b=2'] },
        body: 'é',
      });
      const answer = await api.send('GET', '/cases');
      expect(answer).toMatchObject({
        status: 401,
        body: 'é',
        headers: {
          'content-type': 'application/problem+json',
          'x-amzn-remapped-www-authenticate': 'Bearer',
          'x-amzn-remapped-date': 'x',
          'x-number': '1',
          'set-cookie': ['a=1', 'b=2'],
          'content-length': '2',
        },
      });
      expect(answer.headers).not.toHaveProperty('www-authenticate');
      api.functions['list'] = () => ({ statusCode: 204 });
      expect(await api.send('GET', '/cases')).toMatchObject({
        status: 204,
        body: '',
        headers: { 'content-type': 'application/json' },
      });
    });
  });

  describe('refuses', () => {
    it('a body over 10 MB, announced or not, without calling the function', async () => {
      const body = Buffer.alloc(10 * 1024 * 1024 + 1, 'a');
      const announcements: Record<string, string>[] = [
        { 'content-length': String(body.length) },
        { 'transfer-encoding': 'chunked' },
      ];
      for (const headers of announcements)
        expect(await api.send('POST', '/cases', { headers, body })).toMatchObject({
          status: 413,
          headers: { 'x-amzn-errortype': 'RequestTooLargeException' },
        });
      expect(api.invoked).toEqual([]);
    });

    it('a body that is more than the function takes', async () => {
      api.functions['submit'] = () => {
        throw new ServiceError('RequestTooLargeException', '7000000 byte payload is too large', 413);
      };
      expect(await api.send('POST', '/cases', { body: 'x' })).toMatchObject({ status: 413 });
    });

    it.each([
      ['a length', 'Content-Length: 100\r\n\r\n{"a":'],
      ['a length, before the first byte', 'Content-Length: 100\r\n\r\n'],
      ['chunks', 'Transfer-Encoding: chunked\r\n\r\n5\r\n{"a":\r\n'],
    ])('a body that stalls, with %s: the connection is given free, and no function is called', async (_, rest) => {
      expect(await api.talk(`POST /cases HTTP/1.1\r\nHost: api.example.org\r\n${rest}`)).not.toMatch(/HTTP\/1\.1 2/);
      expect(api.invoked).toEqual([]);
    });

    it('headers of 10 KB are taken, and one byte more is not', async () => {
      api.functions['submit'] = () => ({ statusCode: 200 });
      // Request line and headers count together: https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-execution-service-limits-table.html
      const fixed = { host: 'api.example.org', connection: 'close', 'content-length': '0' };
      const used =
        Object.entries({ ...fixed, 'x-long': '' })
          .flat()
          .join('').length + '/cases'.length;
      const sized = (length: number) => ({ headers: { 'content-length': '0', 'x-long': 'x'.repeat(length - used) } });
      expect((await api.send('POST', '/cases', sized(10_240))).status).toBe(200);
      expect((await api.send('POST', '/cases', sized(10_241))).status).toBe(413);
    });

    it.each<[string, string, Parameters<TestApi['send']>[2], number]>([
      ['headers over 10 KB', '/cases', { headers: { 'x-long': 'x'.repeat(10_240) } }, 413],
      ['a body that is not UTF-8', '/cases', { body: Buffer.from([0xff, 0xfe]) }, 415],
      ['a path that cannot be decoded', '/cases/%zz', {}, 400],
      ['a query that cannot be decoded', '/cases?a=%zz', {}, 400],
      ['a query with a plain pipe', '/cases?a=1|2', {}, 400],
    ])('%s', async (_, path, options, status) => {
      expect(await api.send('POST', path, options)).toMatchObject({ status });
      expect(api.invoked).toEqual([]);
    });

    it('what a validator misses', async () => {
      const answer = await api.send('GET', '/needy?since=');
      expect(answer).toMatchObject({ status: 400, headers: { 'x-amzn-errortype': 'BadRequestException' } });
      expect(message(answer)).toBe('Missing required request parameters: [since, x-a]');
      expect(await api.send('GET', '/needy?since=1', { headers: { 'X-A': '1' } })).toMatchObject({ status: 200 });
    });
  });

  describe('with an authorizer', () => {
    const token = { headers: { authorization: 'Bearer x' } };
    const names = (): string[] => api.invoked.map(({ name }) => name);

    it.each([{}, { headers: { authorization: '' } }])(
      'refuses without identity before asking it (%j)',
      async (options) => {
        expect(await api.send('GET', '/cases/7', options)).toMatchObject({
          status: 401,
          body: '{"message":"Unauthorized"}',
        });
        expect(names()).toEqual([]);
      },
    );

    it('refuses when it says Unauthorized', async () => {
      api.functions['authorizer'] = () => new Error('Unauthorized');
      expect(await api.send('GET', '/cases/7', token)).toMatchObject({ status: 401 });
      expect(names()).toEqual(['authorizer']);
    });

    it.each<[string, unknown]>([
      ['fails', new Error('broken')],
      ['answers nothing', null],
      ['names no principal', { ...allow('*'), principalId: undefined }],
      ['has no version', { principalId: 'x', policyDocument: { Statement: [] } }],
      [
        'has a condition',
        {
          principalId: 'x',
          policyDocument: {
            Version: '2012-10-17',
            Statement: [{ Effect: 'Allow', Action: '*', Resource: '*', Condition: {} }],
          },
        },
      ],
      ['nests its context', allow('*', { deep: { a: 1 } })],
    ])('answers 500 when it %s', async (_, answer) => {
      api.functions['authorizer'] = () => answer;
      expect(await api.send('GET', '/cases/7', token)).toMatchObject({
        status: 500,
        body: '{"message":null}',
        headers: { 'x-amzn-errortype': 'AuthorizerConfigurationException' },
      });
      expect(names()).toEqual(['authorizer']);
    });

    it('answers 500 when it may not be invoked', async () => {
      api.functions['authorizer'] = () => {
        throw new Error('AccessDenied');
      };
      expect(await api.send('GET', '/cases/7', token)).toMatchObject({ status: 500, body: '{"message":null}' });
    });

    it.each([
      [() => allow(`${ARN}:${api.id}/v1/GET/cases/8`), 'User is not authorized to access this resource'],
      [() => allow(`${ARN}:${api.id}/v1/POST/*`), 'User is not authorized to access this resource'],
      [
        () => ({
          principalId: 'x',
          policyDocument: {
            Version: '2012-10-17',
            Statement: [
              { Effect: 'Allow', Action: '*', Resource: '*' },
              { Effect: 'Deny', Action: ['execute-api:Invoke'], Resource: ['*/GET/cases/7'] },
            ],
          },
        }),
        'User is not authorized to access this resource with an explicit deny in an identity-based policy',
      ],
    ])('refuses what its policy does not allow', async (policy, text) => {
      api.functions['authorizer'] = policy;
      const answer = await api.send('GET', '/cases/7', token);
      expect(answer).toMatchObject({ status: 403, headers: { 'x-amzn-errortype': 'AccessDeniedException' } });
      expect(JSON.parse(answer.body)).toEqual({ Message: text });
      expect(names()).toEqual(['authorizer']);
    });

    it('and the function behind it are shown the certificate of the connection', async () => {
      api.functions['authorizer'] = () => allow('*');
      const certificateIn = (index: number): unknown =>
        (api.invoked[index] as WireJson).event.requestContext.identity.clientCert;
      api.clientCertificate = CAN_CERTIFICATE;
      await api.send('GET', '/cases/7', token);
      api.clientCertificate = undefined;
      const own = new X509Certificate(CAN_CERTIFICATE);
      expect(certificateIn(0)).toEqual({
        clientCertPem: CAN_CERTIFICATE,
        subjectDN: 'C=XX,O=EXERCISE,CN=can-client.exercise.example',
        issuerDN: 'C=XX,O=EXERCISE,CN=can-client.exercise.example',
        serialNumber: expect.stringMatching(/^([0-9a-f]{2}:)+[0-9a-f]{2}$/) as string,
        validity: { notBefore: own.validFrom, notAfter: own.validTo },
      });
      expect(certificateIn(1)).toEqual(certificateIn(0));
      await api.send('GET', '/cases/7', token);
      expect([certificateIn(2), certificateIn(3)]).toEqual([undefined, undefined]);
    });

    it('tells the function what it said, as text', async () => {
      api.functions['authorizer'] = () =>
        allow(`${ARN}:${api.id}/v1/GET/cases/?`, { nation: 'CAN', level: 3, cleared: true });
      expect(await api.send('GET', '/cases/7', token)).toMatchObject({ status: 200, body: 'show' });
      const [asked] = api.invoked;
      expect(asked?.caller.sourceArn).toMatch(new RegExp(`^${ARN}:${api.id}/authorizers/\\w{10}$`));
      expect(asked?.event).toMatchObject({
        type: 'REQUEST',
        methodArn: `${ARN}:${api.id}/v1/GET/cases/7`,
        resource: '/cases/{id}',
        pathParameters: { id: '7' },
        headers: { authorization: 'Bearer x' },
        requestContext: { resourcePath: '/cases/{id}' },
      });
      expect(asked?.event).not.toHaveProperty('body');
      expect(event()['requestContext'].authorizer).toEqual({
        principalId: 'officer',
        nation: 'CAN',
        level: '3',
        cleared: 'true',
      });
    });
  });
});

describe('gateway responses and throttling', () => {
  const host = testHost({ now: NOON });
  const api = new TestApi(host);
  beforeAll(async () => {
    await api.start();
    api.functions['list'] = () => ({ statusCode: 200 });
    await api.method('/cases', 'GET', 'list');
    await api.method('/cases', 'POST', 'list');
    const problem =
      '{"code":"$context.error.responseType","detail":$context.error.messageString,"id":"$context.requestId","none":"$context.authorizer.none"}';
    const respond = (ResponseType: string, properties: Properties): Promise<string> =>
      api.make('GatewayResponse', ResponseType, { RestApiId: api.id, ResponseType, ...properties });
    await respond('DEFAULT_4XX', {
      ResponseParameters: {
        'gatewayresponse.header.Content-Type': "'application/problem+json'",
        'gatewayresponse.header.X-Request': 'context.requestId',
        'gatewayresponse.header.X-Echo': 'method.request.header.X-Sent',
      },
      ResponseTemplates: { 'application/json': problem },
    });
    await respond('MISSING_AUTHENTICATION_TOKEN', {
      StatusCode: '404',
      ResponseTemplates: { 'application/json': '{"gone":true}' },
    });
    await api.deploy({
      MethodSettings: [
        {
          ResourcePath: '/*',
          HttpMethod: '*',
          ThrottlingRateLimit: 100,
          ThrottlingBurstLimit: 50,
          LoggingLevel: 'INFO',
        },
        { ResourcePath: '/~1cases', HttpMethod: 'POST', ThrottlingRateLimit: 1, ThrottlingBurstLimit: 2 },
      ],
    });
  });
  afterAll(() => api.stop());

  it('answers as the template says, by type or by class', async () => {
    expect(await api.send('GET', '/other')).toMatchObject({ status: 404, body: '{"gone":true}' });
    const answer = await api.send('GET', '/cases/%zz', { headers: { 'x-sent': 'hello' } });
    expect(answer).toMatchObject({
      status: 400,
      headers: {
        'content-type': 'application/problem+json',
        'x-request': answer.headers['x-amzn-requestid'],
        'x-echo': 'hello',
      },
    });
    expect(JSON.parse(answer.body)).toEqual({
      code: 'DEFAULT_4XX',
      detail: 'Bad Request',
      id: answer.headers['x-amzn-requestid'],
      none: '',
    });
  });

  it('throttles a method by its own limit, in virtual time', async () => {
    const statuses = async (count: number): Promise<number[]> => {
      const all: number[] = [];
      for (let index = 0; index < count; index += 1) all.push((await api.send('POST', '/cases')).status);
      return all;
    };
    const first = await statuses(6);
    expect(first.slice(0, 2)).toEqual([200, 200]);
    expect(first.slice(2)).toContain(429);
    expect((await api.send('GET', '/cases')).status).toBe(200);
    await host.clock.advance(10_000);
    expect(await statuses(2)).toEqual([200, 200]);
  });
});

describe('an API that cannot be', () => {
  const host = testHost();
  const api = new TestApi(host);
  beforeAll(() => api.start());
  afterAll(() => api.stop());
  const integration = { Type: 'AWS_PROXY', IntegrationHttpMethod: 'POST', Uri: uri('f') };

  it('answers nothing before it is deployed', async () => {
    expect(await api.send('GET', '/')).toMatchObject({ status: 418 });
  });

  it.each<[string, string, Properties, string]>([
    ['a policy', 'RestApi', { Name: 'x', Policy: {} }, 'Policy'],
    ['an OpenAPI body', 'RestApi', { Name: 'x', Body: {} }, 'Body'],
    ['binary media types', 'RestApi', { Name: 'x', BinaryMediaTypes: ['*/*'] }, 'BinaryMediaTypes'],
    ['a mock integration', 'Method', { HttpMethod: 'GET', Integration: { Type: 'MOCK' } }, 'Integration.Type'],
    [
      'a mapping',
      'Method',
      { HttpMethod: 'GET', Integration: { ...integration, RequestTemplates: {} } },
      'RequestTemplates',
    ],
    [
      'IAM authorization',
      'Method',
      { HttpMethod: 'GET', AuthorizationType: 'AWS_IAM', Integration: integration },
      'AuthorizationType',
    ],
    ['API keys', 'Method', { HttpMethod: 'GET', ApiKeyRequired: true, Integration: integration }, 'ApiKeyRequired'],
    [
      'an unknown authorizer',
      'Method',
      { HttpMethod: 'GET', AuthorizationType: 'CUSTOM', AuthorizerId: 'x', Integration: integration },
      'authorizer',
    ],
    [
      'a token authorizer',
      'Authorizer',
      { Name: 'a', Type: 'TOKEN', AuthorizerUri: uri('f'), AuthorizerResultTtlInSeconds: 0 },
      'Type',
    ],
    [
      'a cache',
      'Authorizer',
      { Name: 'a', Type: 'REQUEST', AuthorizerUri: uri('f'), AuthorizerResultTtlInSeconds: 300 },
      'AuthorizerResultTtlInSeconds',
    ],
    [
      'a cache by default',
      'Authorizer',
      { Name: 'a', Type: 'REQUEST', AuthorizerUri: uri('f') },
      'AuthorizerResultTtlInSeconds',
    ],
    ['an unknown response type', 'GatewayResponse', { ResponseType: 'TEAPOT' }, 'unknown response type'],
    [
      'an input variable',
      'GatewayResponse',
      { ResponseType: 'THROTTLED', ResponseTemplates: { 'application/json': '$input.body' } },
      '$context',
    ],
    ['stage variables', 'Stage', { DeploymentId: 'd', StageName: 's', Variables: {} }, 'Variables'],
    ['a reserved path', 'Resource', { PathPart: 'ping' }, '/ping'],
  ])('refuses %s', async (_, type, properties, text) => {
    const own = type === 'RestApi' ? {} : { RestApiId: api.id };
    const parent = type === 'Method' ? { ResourceId: api.rootId } : type === 'Resource' ? { ParentId: api.rootId } : {};
    await expect(api.make(type, 'X', { ...own, ...parent, ...properties })).rejects.toThrow(text);
  });

  it('refuses a second stage', async () => {
    await api.deploy();
    await expect(api.deploy({ StageName: 'v2' })).rejects.toThrow('more than one stage');
  });
});
