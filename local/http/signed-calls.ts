import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';
import type { Fault, FaultPoint } from '../faults.ts';
import { AccessDenied } from '../iam/policy.ts';
import type { Session, Sessions } from '../iam/sessions.ts';
import {
  type Host,
  jsonError,
  notImplemented,
  readBody,
  type Service,
  ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../service.ts';
import type { CallCounts } from './call-counts.ts';
import { type Claim, readClaim, type SignedRequest } from './claim.ts';
import { familyError, throttlingError } from './error-family.ts';
import { verify } from './verify-signature.ts';

/** The connection is dropped instead of answered. */
export const CUT = Symbol('cut');

export interface SignedCallsParts {
  readonly host: Host;
  readonly services: readonly Service[];
  readonly sessions: Sessions;
  readonly callers: CallCounts;
  /** Ends the function instance that holds these credentials. */
  crashCaller(accessKeyId: string): void;
  /** What the function instance that holds these credentials was invoked with; undefined when there is none. */
  eventOf(accessKeyId: string): string | undefined;
  /** Told of errors that are the runtime's own fault. */
  onError(error: unknown): void;
}

interface Call {
  readonly service: Service;
  readonly operation: string;
  readonly session: Session;
  readonly request: ServiceRequest;
  /** For the faults. */
  readonly asked: string;
}

/** Header values as the signer saw them: repeated ones joined. */
function headersOf({ rawHeaders }: IncomingMessage): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const name = (rawHeaders[index] ?? '').toLowerCase();
    const value = rawHeaders[index + 1] ?? '';
    headers[name] = Object.hasOwn(headers, name) ? `${headers[name]},${value}` : value;
  }
  return headers;
}

/** The request apart from its body. */
export function signedRequest(message: IncomingMessage): SignedRequest {
  const [path = '/', ...query] = (message.url ?? '/').split('?');
  return { method: message.method ?? 'GET', path, rawQuery: query.join('?'), headers: headersOf(message) };
}

/** Calls of AWS services: verified, counted, exposed to faults, and answered by the service that the signature names. */
export class SignedCalls {
  #parts: SignedCallsParts;
  #services: ReadonlyMap<string, Service>;

  constructor(parts: SignedCallsParts) {
    this.#parts = parts;
    this.#services = new Map(parts.services.map((service) => [service.signingName, service]));
  }

  /** Never throws. @returns what to answer, or {@link CUT} */
  async answer(signed: SignedRequest, message: IncomingMessage): Promise<ServiceResponse | typeof CUT> {
    const requestId = randomUUID();
    const claim = readClaim(signed);
    if (claim === undefined)
      return jsonError(
        familyError('', 'malformed', 'The Authorization header or the query of the signature is malformed.'),
        '1.0',
      );
    const service = this.#services.get(claim.scope.service);
    if (service === undefined) return jsonError(notImplemented(`the service ${claim.scope.service}`), '1.0');
    let answer: ServiceResponse | typeof CUT;
    try {
      answer = await this.#perform(await this.#read(signed, claim, service, message, requestId));
    } catch (error) {
      answer = service.renderError(this.#asServiceError(error, service.signingName), { requestId });
    }
    if (answer === CUT) return CUT;
    const idHeader = service.signingName === 's3' ? 'x-amz-request-id' : 'x-amzn-requestid';
    return { ...answer, headers: { [idHeader]: requestId, ...answer.headers } };
  }

  /** Verifies the signature; S3 reads its body by itself, all others are given theirs whole. */
  async #read(
    signed: SignedRequest,
    claim: Claim,
    service: Service,
    message: IncomingMessage,
    requestId: string,
  ): Promise<Call> {
    const { host, sessions } = this.#parts;
    const body = service.signingName === 's3' ? undefined : await readBody(message);
    const session = sessions.find(claim.accessKeyId);
    const verified = verify(signed, claim, { region: host.region, now: host.clock.now(), session, body });
    if (verified instanceof ServiceError) throw verified;
    const request: ServiceRequest = {
      method: signed.method,
      path: signed.path,
      query: new URLSearchParams(signed.rawQuery),
      headers: signed.headers,
      body: body === undefined ? message : Readable.from(body.length === 0 ? [] : [body], { objectMode: false }),
      caller: verified.caller,
      presigned: claim.presigned,
      requestId,
    };
    const asked = `${signed.path}?${signed.rawQuery}${body === undefined ? '' : `\n${body.toString()}`}`;
    return { service, operation: service.operationOf(request, body) ?? 'Unknown', session: verified, request, asked };
  }

  async #perform({ service, operation, session, request, asked }: Call): Promise<ServiceResponse | typeof CUT> {
    const { host, callers } = this.#parts;
    const name = service.signingName;
    host.meter.count(name, operation);
    callers.count(session.role.name, name, operation);
    const instance = this.#instanceOf(session);
    const fault = (moment: 'before' | 'after'): Fault | undefined =>
      host.faults.at({ service: name, operation, caller: session.role.name, moment, request: asked, instance });

    if (this.#suffer(fault('before'), name, session)) return CUT;
    const answer = await service.handle(request).catch((error: unknown) => {
      // A refused call has an answer too, and may be cut off like any other.
      return service.renderError(this.#asServiceError(error, name), request);
    });
    if (!this.#suffer(fault('after'), name, session)) return answer;
    if (answer.body instanceof Readable) answer.body.destroy();
    return CUT;
  }

  /** The function instance that calls, by itself or in a session that it opened. */
  #instanceOf(session: Session): FaultPoint['instance'] {
    const id = this.#parts.sessions.origin(session.accessKeyId);
    const event = this.#parts.eventOf(id);
    return event === undefined ? undefined : { id, event };
  }

  /** @returns true when the connection is to be dropped */
  #suffer(fault: Fault | undefined, service: string, session: Session): boolean {
    if (fault === undefined) return false;
    if (fault === 'throttle') throw throttlingError(service);
    if (fault === 'fail')
      throw familyError(service, 'internal', 'The request processing has failed because of an internal error.');
    if (fault === 'crash') this.#parts.crashCaller(this.#parts.sessions.origin(session.accessKeyId));
    return true;
  }

  #asServiceError(error: unknown, service: string): ServiceError {
    if (error instanceof ServiceError) return error;
    if (error instanceof AccessDenied) return familyError(service, 'denied', error.message);
    this.#parts.onError(error);
    return familyError(service, 'internal', 'The local runtime failed; its log says why.');
  }
}
