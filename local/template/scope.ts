import { TemplateProblem } from './problem.ts';

/** What a created resource answers to Ref and Fn::GetAtt. */
export interface Known {
  readonly ref: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** Outputs of the stacks created so far. */
export class Exports {
  #outputs = new Map<string, ReadonlyMap<string, unknown>>();
  #exports = new Map<string, unknown>();

  add(stackName: string, outputs: ReadonlyMap<string, unknown>): void {
    this.#outputs.set(stackName, outputs);
  }

  export(name: string, value: unknown): void {
    if (this.#exports.has(name)) throw new TemplateProblem(`the export ${name} exists already`);
    this.#exports.set(name, value);
  }

  imported(name: string): unknown {
    if (!this.#exports.has(name))
      throw new TemplateProblem(`Fn::ImportValue names ${name}, which no earlier stack exports`);
    return this.#exports.get(name);
  }

  output(stackName: string, outputName: string): unknown {
    const outputs = this.#outputs.get(stackName);
    if (outputs?.has(outputName) !== true)
      throw new TemplateProblem(`Fn::GetStackOutput names ${stackName}.${outputName}, which no earlier stack puts out`);
    return outputs.get(outputName);
  }
}

/** Everything that an intrinsic function of one stack can refer to. */
export interface Scope {
  readonly stackName: string;
  readonly account: string;
  readonly region: string;
  readonly parameters: ReadonlyMap<string, string | readonly string[]>;
  readonly mappings: Readonly<Record<string, Readonly<Record<string, Readonly<Record<string, unknown>>>>>>;
  readonly conditions: ReadonlyMap<string, boolean>;
  readonly resources: ReadonlyMap<string, Known>;
  readonly exports: Exports;
}

/** https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html */
export const pseudoParameter = (name: string, scope: Scope): string | undefined =>
  ({
    'AWS::AccountId': scope.account,
    'AWS::Partition': 'aws',
    'AWS::Region': scope.region,
    'AWS::StackName': scope.stackName,
    'AWS::StackId': `arn:aws:cloudformation:${scope.region}:${scope.account}:stack/${scope.stackName}/local`,
    'AWS::URLSuffix': 'amazonaws.com',
  })[name];
