import type { Command } from 'commander';
import type { Act, AddCommand } from '../client/session.ts';
import { addDoctor } from './ops/doctor.ts';
import { addRedrive } from './ops/redrive.ts';
import { addSmoke } from './ops/smoke.ts';
import { addStuck } from './ops/stuck.ts';

/** Adds a command to the group. */
export type AddOperatorCommand = (ops: Command, act: Act) => void;

const COMMANDS: readonly AddOperatorCommand[] = [addDoctor, addStuck, addRedrive, addSmoke];

/** ops: for those who run an exchange; with the AWS credentials of its operators' role, and no person's token. */
export const addOps: AddCommand = (program, act) => {
  const ops = program
    .command('ops')
    .description('for those who run the exchange, with the AWS credentials of its operators');
  for (const add of COMMANDS) add(ops, act);
  for (const command of ops.commands)
    command.option('--env <name>', 'environment, such as can-production (default: what the exchange says of itself)');
};
