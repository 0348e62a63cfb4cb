import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { Worker } from 'node:worker_threads';
import type { InvocationOutcome } from '../../ports.ts';
import type { FunctionConfiguration, InstanceCredentials } from './function-configuration.ts';
import type { LogLine } from './function-log.ts';

export interface Invocation {
  readonly requestId: string;
  /** JSON text. */
  readonly event: string;
  /** As invoked: plain or qualified. */
  readonly functionArn: string;
}

interface ReportedError {
  readonly errorType: string;
  readonly errorMessage: string;
}

/** What `sandbox.cjs` posts. */
type FromSandbox =
  | { readonly type: 'ready' }
  | { readonly type: 'init-failed'; readonly error: ReportedError }
  | { readonly type: 'answer'; readonly payload: string }
  | { readonly type: 'failed'; readonly error: ReportedError }
  | ({ readonly type: 'log' } & Omit<LogLine, 'functionName'>);

export interface InstanceSettings {
  readonly configuration: FunctionConfiguration;
  readonly version: string;
  readonly credentials: InstanceCredentials;
  readonly environment: Readonly<Record<string, string>>;
  /** Shared with the worker: milliseconds by which virtual time is ahead, and by which this function's clock is off. */
  readonly clock: Float64Array;
  readonly skew: Float64Array;
  /** Names that stand for a port of this machine when TLS is spoken to them. */
  readonly names: Readonly<Record<string, number>>;
  readonly onLog: (line: LogLine) => void;
}

// One of the two, by module system: `tsx` runs ES modules, the tests' transform makes CommonJS.
const SANDBOX = join(import.meta.dirname ?? __dirname, 'sandbox.cjs');

/** https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-ib */
const INIT_SECONDS = 10;

/** https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#function-configuration-deployment-and-execution */
const LARGEST_ANSWER = 6_291_556;

const failure = (errorType: string, errorMessage: string): InvocationOutcome => ({
  ok: false,
  errorType,
  errorMessage,
});

/**
 * One execution environment: a worker thread with its own heap limit, environment and credentials, that serves one invocation
 * at a time. Once it has timed out, run out of memory, exited or failed to load, it is {@link ended} and must be replaced.
 */
export class FunctionInstance {
  readonly settings: InstanceSettings;
  ended = false;
  /** What it was invoked with last, as JSON text. */
  event = '';
  readonly #worker: Worker;
  readonly #ready: Promise<InvocationOutcome | undefined>;
  #announceReady: (failed: InvocationOutcome | undefined) => void = () => undefined;
  #current: { readonly requestId: string; readonly settle: (outcome: InvocationOutcome) => void } | undefined;
  /** Set when the runtime itself ends the worker, and says why. */
  #verdict: ((requestId: string) => InvocationOutcome) | undefined;

  constructor(settings: InstanceSettings) {
    this.settings = settings;
    this.#ready = new Promise((resolve) => (this.#announceReady = resolve));
    const { configuration } = settings;
    this.#worker = new Worker(SANDBOX, {
      env: settings.environment,
      // What Node says of itself is not the function's to log.
      execArgv: ['--disable-warning=ExperimentalWarning'],
      argv: [],
      stdin: false,
      stdout: true,
      stderr: true,
      resourceLimits: { maxOldGenerationSizeMb: configuration.memoryMb },
      workerData: {
        codeDirectory: configuration.codeDirectory,
        handler: configuration.handler,
        functionName: configuration.name,
        functionVersion: settings.version,
        memoryMb: configuration.memoryMb,
        logFormat: configuration.logFormat,
        logLevel: configuration.logLevel,
        logGroup: configuration.logGroup,
        logStream: `${settings.version}/${settings.credentials.accessKeyId}`,
        clock: settings.clock,
        skew: settings.skew,
        names: settings.names,
      },
    });
    this.#listen();
  }

  /** Runs one invocation to its end. Times are real: a function runs by the wall clock. */
  async invoke(invocation: Invocation): Promise<InvocationOutcome> {
    // It may have died while nobody was looking: nothing would answer.
    if (this.ended) return exitError(invocation.requestId, 'signal: terminated');
    this.event = invocation.event;
    const outcome = new Promise<InvocationOutcome>((settle) => {
      this.#current = { requestId: invocation.requestId, settle };
    });
    const failed = await this.#within(INIT_SECONDS, this.#ready);
    if (failed !== undefined) {
      this.end();
      return failed;
    }
    const limit = this.settings.configuration.timeoutSeconds;
    if (!this.ended) this.#worker.postMessage({ type: 'invoke', ...invocation, deadline: Date.now() + limit * 1000 });
    const result = await this.#within(limit, outcome);
    this.#current = undefined;
    return result;
  }

  /** Resolves when the code is loaded, or has failed to; what failed is told to the first invocation. */
  async loaded(): Promise<void> {
    await this.#ready;
  }

  /** Ends the worker as a crash of its machine would: what it is doing fails without an answer. */
  crash(): void {
    this.#stop((requestId) => exitError(requestId, 'signal: killed'));
  }

  /** Ends an idle worker. */
  end(): void {
    this.#stop((requestId) => exitError(requestId, 'signal: terminated'));
  }

  /** Resolves when the thread is gone. */
  async gone(): Promise<void> {
    await this.#worker.terminate();
  }

  #stop(verdict: (requestId: string) => InvocationOutcome): void {
    this.ended = true;
    this.#verdict ??= verdict;
    void this.#worker.terminate();
  }

  async #within<T>(seconds: number, work: Promise<T>): Promise<T> {
    const timer = setTimeout(() => {
      this.#stop((requestId) =>
        failure(
          'Sandbox.Timedout',
          `RequestId: ${requestId} Error: Task timed out after ${seconds.toFixed(2)} seconds`,
        ),
      );
    }, seconds * 1000);
    try {
      return await work;
    } finally {
      clearTimeout(timer);
    }
  }

  #listen(): void {
    this.#worker.on('message', (message: FromSandbox) => this.#receive(message));
    this.#worker.on('error', (error) => {
      const memory = 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
      this.#verdict ??= (requestId) =>
        memory
          ? failure('Runtime.OutOfMemory', `RequestId: ${requestId} Error: Runtime exited with error: signal: killed`)
          : exitError(requestId, `exit status 1 (${String(error)})`);
    });
    this.#worker.on('exit', (code) => this.#exited(code));
    this.#collect(this.#worker.stdout, 'INFO');
    this.#collect(this.#worker.stderr, 'ERROR');
  }

  #receive(message: FromSandbox): void {
    switch (message.type) {
      case 'log': {
        const { type: _, ...line } = message;
        this.settings.onLog({ functionName: this.settings.configuration.name, ...line });
        return;
      }
      case 'ready':
        this.#announceReady(undefined);
        return;
      case 'init-failed':
        this.#announceReady({ ok: false, ...message.error });
        return;
      case 'failed':
        this.#current?.settle({ ok: false, ...message.error });
        return;
      case 'answer':
        this.#current?.settle(readAnswer(message.payload));
    }
  }

  #exited(code: number): void {
    this.ended = true;
    const requestId = this.#current?.requestId ?? 'init';
    const outcome =
      this.#verdict?.(requestId) ??
      (code === 0
        ? failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited without providing a reason`)
        : exitError(requestId, `exit status ${code}`));
    this.#announceReady(outcome);
    this.#current?.settle(outcome);
  }

  /** What is written past the console. */
  #collect(stream: Readable, level: string): void {
    let rest = '';
    stream.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const message of lines) this.#logRaw(level, message);
    });
    stream.on('end', () => {
      if (rest !== '') this.#logRaw(level, rest);
    });
  }

  #logRaw(level: string, message: string): void {
    const { clock, skew, configuration } = this.settings;
    const time = Date.now() + (clock[0] ?? 0) + (skew[0] ?? 0);
    this.settings.onLog({
      functionName: configuration.name,
      requestId: this.#current?.requestId,
      level,
      message,
      line: message,
      time,
    });
  }
}

const exitError = (requestId: string, how: string): InvocationOutcome =>
  failure('Runtime.ExitError', `RequestId: ${requestId} Error: Runtime exited with error: ${how}`);

function readAnswer(payload: string): InvocationOutcome {
  const bytes = Buffer.byteLength(payload);
  if (bytes > LARGEST_ANSWER)
    return failure(
      'Function.ResponseSizeTooLarge',
      `Response payload size (${bytes} bytes) exceeded maximum allowed payload size (${LARGEST_ANSWER} bytes).`,
    );
  return { ok: true, payload: JSON.parse(payload) };
}
