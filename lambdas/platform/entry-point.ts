import { errorName, errorPlace, log, logAbout } from './log.ts';

/** What the service logs and passes on when a function fails. */
class Failure extends Error {
  override readonly name: string;

  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

/** A token that was not accepted. API Gateway knows it by its message. */
export class Unauthorized extends Error {
  override readonly name = 'Unauthorized';
}

const member = (value: unknown, name: string): unknown =>
  typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined; // read, never believed

const textIn = (value: unknown, name: string): string | undefined => {
  const found = member(value, name);
  return typeof found === 'string' ? found : undefined;
};

const numberIn = (value: unknown, name: string): number | undefined => {
  const found = member(value, name);
  return typeof found === 'number' ? found : undefined;
};

/**
 * Makes a function's entry of what it does. Whatever escapes is thrown on by its name alone: the Lambda runtime writes message, cause and stack of
 * what is thrown into the log, and Step Functions its message into the history, and they may quote content (promise S7). Every line that is logged
 * meanwhile says what the event is about: case and attempt of a step, request of the API, id of an event of the bus.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-exceptions.html
 */
export const entryPoint =
  <E, A>(work: (event: E) => Promise<A>) =>
  async (event: E): Promise<A> => {
    logAbout({
      caseId: textIn(event, 'caseId') ?? textIn(member(event, 'pathParameters'), 'caseId'),
      attempt: numberIn(event, 'attempt'),
      traceId: textIn(member(event, 'requestContext'), 'requestId') ?? textIn(event, 'id'),
    });
    try {
      return await work(event);
    } catch (error) {
      if (!(error instanceof Unauthorized))
        log('error', 'FUNCTION_FAILED', { errorName: errorName(error), at: errorPlace(error) });
      throw new Failure(errorName(error));
    }
  };
