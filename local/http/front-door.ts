import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock } from '../clock.ts';
import { isSigned } from './claim.ts';
import { control, CONTROL_PREFIX, type ControlView } from './control.ts';
import { respond, respondJson } from './respond.ts';
import { CUT, type SignedCalls, signedRequest } from './signed-calls.ts';

export type Route = (request: IncomingMessage, response: ServerResponse) => unknown;

export interface FrontDoorParts {
  readonly view: ControlView;
  readonly routes: Readonly<Record<string, Route>>;
  readonly calls: SignedCalls;
  readonly api: {
    handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>;
    /** The name of the application's API at AWS, which functions reach here. */
    hostName(): string | undefined;
  };
}

const LOOPBACK = '127.0.0.1';
/** More than any service takes, so that each refuses in its own words what is too much for it. */
const LARGEST_HEAD = 64 * 1024;
/** A name that an attacker's DNS points at this machine does not pass. */
const HOST = /^(127\.0\.0\.1|localhost|\[::1\])(:\d{1,5})?$/i;

/**
 * The one port of the runtime, on the loopback interface. In this order: control routes, the caller's own routes, signed AWS calls, and
 * what remains is for the application's API. Under the API's own name there is the API alone.
 */
export class FrontDoor {
  #server: Server;
  #clock: Clock;
  #onError: (error: unknown) => void;
  #parts: FrontDoorParts | undefined;

  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
    this.#server = createServer({ maxHeaderSize: LARGEST_HEAD }, (request, response) => {
      this.#receive(request, response).catch((error: unknown) => {
        this.#onError(error);
        if (response.headersSent) response.destroy();
        else void respondJson(response, { error: 'The local runtime failed; its log says why.' }, 500);
      });
    });
    // Long downloads and debuggers are welcome on a laptop.
    this.#server.requestTimeout = 0;
  }

  /** @param port 0 for any free one; returns the one taken */
  listen(port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      const failed = (error: Error): void => {
        reject(
          new Error(`Port ${port} of ${LOOPBACK} cannot be used (${error.message}): choose another, or 0 for any.`, {
            cause: error,
          }),
        );
      };
      this.#server.once('error', failed);
      this.#server.listen(port, LOOPBACK, () => {
        this.#server.off('error', failed);
        // A server that listens on TCP has an address with a port.
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Until then everything is answered with 503. */
  open(parts: FrontDoorParts): void {
    this.#parts = parts;
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => {
        resolve();
      });
      this.#server.closeAllConnections();
    });
  }

  async #receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.sendDate = false;
    response.setHeader('date', new Date(this.#clock.now()).toUTCString());
    const host = request.headers.host?.toLowerCase() ?? '';
    const asApi = host !== '' && host === this.#parts?.api.hostName();
    if (!asApi && !HOST.test(host))
      return respondJson(response, { error: 'Only loopback names (127.0.0.1, localhost) are served.' }, 421);
    if (this.#parts === undefined) return respondJson(response, { error: 'The runtime is starting.' }, 503);

    const { view, routes, calls, api } = this.#parts;
    // Under that name there is the API and nothing else.
    if (asApi) return void (await api.handle(request, response));
    const signed = signedRequest(request);
    if (signed.path.startsWith(CONTROL_PREFIX)) return control(request, response, view);
    const route = Object.hasOwn(routes, signed.path) ? routes[signed.path] : undefined;
    if (route !== undefined) {
      await route(request, response);
      return;
    }
    if (isSigned(signed)) return this.#call(signed, request, response, calls);
    if (!(await api.handle(request, response)))
      return respondJson(response, { message: 'Missing Authentication Token' }, 403);
  }

  async #call(
    signed: ReturnType<typeof signedRequest>,
    request: IncomingMessage,
    response: ServerResponse,
    calls: SignedCalls,
  ): Promise<void> {
    const answer = await calls.answer(signed, request);
    if (answer === CUT) {
      request.socket.destroy();
      return;
    }
    await respond(response, answer);
  }
}
