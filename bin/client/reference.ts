import type { Argument, Command, Option } from 'commander';
import { EXIT, EXIT_MEANINGS } from './exit-codes.ts';

const optionLine = (option: Option): string => {
  const standard = option.defaultValueDescription ?? option.defaultValue;
  const shown =
    standard === undefined || typeof standard === 'boolean' || Array.isArray(standard) ? '' : ` (default: ${standard})`;
  return `- \`${option.flags}\`: ${option.description}${shown}`;
};
const argumentLine = (argument: Argument): string => {
  const name = argument.variadic ? `${argument.name()}...` : argument.name();
  const choices = argument.argChoices === undefined ? '' : ` (${argument.argChoices.join(' or ')})`;
  return `- \`${argument.required ? `<${name}>` : `[${name}]`}\`: ${argument.description}${choices}`;
};

/** A command's visible subcommands, without `help`. */
const commandsOf = (command: Command): readonly Command[] =>
  command
    .createHelp()
    .visibleCommands(command)
    .filter((row) => row.name() !== 'help');

function sectionsOf(command: Command, path: string): string[] {
  const own = `${path} ${command.name()}`;
  const inner = commandsOf(command);
  if (inner.length > 0) return inner.flatMap((row) => sectionsOf(row, own));
  const names = command.registeredArguments.map((row) => (row.required ? `<${row.name()}>` : `[${row.name()}]`));
  const lines = [...command.registeredArguments.map(argumentLine), ...command.options.map(optionLine)];
  return [
    `### ${[own.trim(), ...names].join(' ').replaceAll('<', '\\<')}\n\n${capital(command.description())}.`,
    ...(lines.length === 0 ? [] : [lines.join('\n')]),
  ];
}

const capital = (text: string): string => text.slice(0, 1).toUpperCase() + text.slice(1);

/** The reference of the client as Markdown, made from the program, so that it cannot say anything else than the program does. */
export const referenceOf = (program: Command): string =>
  [
    '# The client: `valiza`',
    'Made from the program with `valiza reference`; a test holds this page to it.',
    'Data goes to stdout, everything else to stderr. With `--json` every command answers with one JSON value on stdout, and errors are JSON on stderr.',
    '## Options of every command',
    program.options.map(optionLine).join('\n'),
    '## Commands',
    ...commandsOf(program).flatMap((command) => sectionsOf(command, 'valiza')),
    '## Exit codes',
    (Object.keys(EXIT) as (keyof typeof EXIT)[]).map((key) => `- ${EXIT[key]}: ${EXIT_MEANINGS[key]}`).join('\n'),
  ].join('\n\n') + '\n';
