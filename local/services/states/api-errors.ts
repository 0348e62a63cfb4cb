import { ServiceError } from '../../service.ts';

/** The errors that the API documents, each with status 400. https://docs.aws.amazon.com/step-functions/latest/apireference/API_Operations.html */
export const validation = (message: string): ServiceError => new ServiceError('ValidationException', message);

export const missing = (name: string): ServiceError =>
  validation(
    `1 validation error detected: Value null at '${name}' failed to satisfy constraint: Member must not be null`,
  );

export const invalidArn = (arn: string): ServiceError =>
  new ServiceError('InvalidArn', `Invalid Arn: 'Resource type not valid in this context: ${arn}'`);

export const stateMachineDoesNotExist = (arn: string): ServiceError =>
  new ServiceError('StateMachineDoesNotExist', `State Machine Does Not Exist: '${arn}'`);

export const executionDoesNotExist = (arn: string): ServiceError =>
  new ServiceError('ExecutionDoesNotExist', `Execution Does Not Exist: '${arn}'`);

export const executionAlreadyExists = (arn: string): ServiceError =>
  new ServiceError('ExecutionAlreadyExists', `Execution Already Exists: '${arn}'`);

export const invalidName = (name: string): ServiceError => new ServiceError('InvalidName', `Invalid Name: '${name}'`);

export const invalidExecutionInput = (reason: string): ServiceError =>
  new ServiceError('InvalidExecutionInput', `Invalid State Machine Execution Input: '${reason}'`);

export const invalidOutput = (reason: string): ServiceError =>
  new ServiceError('InvalidOutput', `Invalid output: '${reason}'`);

export const invalidToken = (): ServiceError => new ServiceError('InvalidToken', "Invalid Token: 'Invalid token'");

/** The token's task has ended: completed, failed, timed out, or its execution was closed. */
export const taskTimedOut = (): ServiceError =>
  new ServiceError('TaskTimedOut', "Task Timed Out: 'Provided task does not exist anymore'");
