'use strict';
/**
 * The inside of a function instance: runs in a worker thread of its own, as the Node.js runtime of Lambda runs in a process of
 * its own. Plain CommonJS, because a worker is started by path and without any loader. It puts up the walls (clock, network,
 * console) before the function's code is read, then serves one invocation after the other.
 *
 * In:  { type: 'invoke', requestId, event, functionArn, deadline }   event is JSON text, deadline real ms since the epoch
 * Out: { type: 'ready' } | { type: 'init-failed', error } | { type: 'answer', payload } | { type: 'failed', error }
 *      | { type: 'log', requestId, level, message, line, time }
 */
const { parentPort, workerData } = require('node:worker_threads');
const { followClock } = require('./sandbox-clock.cjs');
const { answerNames, refuseEgress } = require('./sandbox-egress.cjs');
const { loadHandler } = require('./sandbox-loader.cjs');
const { format } = require('node:util');

// A function's time limit runs in real time.
const realNow = Date.now;
followClock(workerData.clock, workerData.skew);
answerNames(workerData.names);
refuseEgress();
const post = parentPort.postMessage.bind(parentPort);

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-logging.html */
const LEVELS = ['TRACE', 'DEBUG', 'INFO', 'WARN', 'ERROR', 'FATAL'];
const METHODS = { trace: 'TRACE', debug: 'DEBUG', log: 'INFO', info: 'INFO', warn: 'WARN', error: 'ERROR' };
const json = workerData.logFormat === 'JSON';
const lowest = LEVELS.indexOf(workerData.logLevel);
let requestId;

/** A value as JSON, with what is in its errors; undefined when it has none, as when it contains itself. */
const jsonOf = (value) => {
  const withErrors = (_, member) =>
    member instanceof Error
      ? {
          errorType: member.name,
          errorMessage: member.message,
          stackTrace: String(member.stack).split('\n'),
          ...member,
        }
      : member;
  try {
    return JSON.stringify(value, withErrors);
  } catch {
    return undefined;
  }
};

/**
 * With JSON logging a single argument is the message as it is: an object keeps its members, a text stays a text whatever it holds. Of several
 * arguments the message is their text. https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs-logformat.html and
 * https://github.com/aws/aws-lambda-nodejs-runtime-interface-client/blob/main/src/logging/formatter.ts
 */
const log = (level, ...parts) => {
  if (LEVELS.indexOf(level) < lowest) return;
  const time = Date.now();
  const timestamp = new Date(time).toISOString();
  const single = json && parts.length === 1 ? jsonOf(parts[0]) : undefined;
  const message = single !== undefined && typeof parts[0] === 'object' ? single : format(...parts);
  const line = json
    ? `${JSON.stringify({ timestamp, level, requestId }).slice(0, -1)},"message":${single ?? JSON.stringify(message)}}`
    : [timestamp, requestId, level, message].join('\t');
  post({ type: 'log', requestId, level, message, line, time });
};
for (const [method, level] of Object.entries(METHODS)) console[method] = (...parts) => log(level, ...parts);

/** What the Node.js runtime reports of an error: its name and message, or the type of what was thrown instead. */
const describe = (error) =>
  error instanceof Error
    ? { errorType: error.name, errorMessage: error.message }
    : { errorType: typeof error, errorMessage: String(error) };

// The runtime's own exit codes for these two.
process.on('uncaughtException', (error) => {
  log('ERROR', `Uncaught Exception ${format(error)}`);
  process.exit(129);
});
process.on('unhandledRejection', (reason) => {
  log('ERROR', `Unhandled Promise Rejection ${format(reason)}`);
  process.exit(128);
});

/** https://docs.aws.amazon.com/lambda/latest/dg/nodejs-context.html */
const contextOf = (invocation) => ({
  functionName: workerData.functionName,
  functionVersion: workerData.functionVersion,
  invokedFunctionArn: invocation.functionArn,
  memoryLimitInMB: String(workerData.memoryMb),
  awsRequestId: invocation.requestId,
  logGroupName: workerData.logGroup,
  logStreamName: workerData.logStream,
  callbackWaitsForEmptyEventLoop: true,
  getRemainingTimeInMillis: () => Math.max(0, invocation.deadline - realNow()),
});

const serialize = (value) => {
  try {
    return JSON.stringify(value === undefined ? null : value) ?? 'null';
  } catch {
    throw Object.assign(new Error('Unable to stringify response body'), { name: 'Runtime.JSONStringifyError' });
  }
};

const serve = (handler) => {
  parentPort.on('message', async (invocation) => {
    requestId = invocation.requestId;
    try {
      const answer = await handler(JSON.parse(invocation.event), contextOf(invocation));
      post({ type: 'answer', payload: serialize(answer) });
    } catch (error) {
      log('ERROR', `Invoke Error ${format(error)}`);
      post({ type: 'failed', error: describe(error) });
    }
  });
};

try {
  serve(loadHandler(workerData.codeDirectory, workerData.handler));
  post({ type: 'ready' });
} catch (error) {
  post({ type: 'init-failed', error: describe(error) });
}
