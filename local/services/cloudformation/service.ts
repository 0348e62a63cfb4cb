import {
  type Host,
  notImplemented,
  readBody,
  type Service,
  ServiceError,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { xmlError, xmlResult } from '../query-xml.ts';

const VERSION = '2010-05-15';
const NAMESPACE = 'http://cloudformation.amazonaws.com/doc/2010-05-15/';
const PARAMETERS = ['Action', 'Version', 'StackName', 'TemplateStage'];

/** The stacks that run, as they were last deployed. */
export interface Stacks {
  template(stackName: string): Readonly<Record<string, unknown>> | undefined;
}

/** AWS CloudFormation: GetTemplate. https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html */
export class CloudFormationService implements Service {
  readonly signingName = 'cloudformation';
  readonly #host: Host;
  readonly #stacks: Stacks;

  constructor(host: Host, stacks: Stacks) {
    this.#host = host;
    this.#stacks = stacks;
  }

  operationOf(_request: unknown, body?: Buffer): string | undefined {
    return new URLSearchParams(body?.toString()).get('Action') ?? undefined;
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const form = new URLSearchParams((await readBody(request.body)).toString());
    const operation = form.get('Action');
    if (form.get('Version') !== VERSION || operation !== 'GetTemplate')
      throw notImplemented(`cloudformation:${operation} of version ${form.get('Version')}`);
    const unknown = [...form.keys()].find((name) => !PARAMETERS.includes(name));
    if (unknown !== undefined) throw notImplemented(`the parameter ${unknown} of cloudformation:GetTemplate`);
    // A template without transforms is the same in both stages.
    const stage = form.get('TemplateStage') ?? 'Original';
    if (stage !== 'Original' && stage !== 'Processed')
      throw invalid(`Value '${stage}' at 'templateStage' failed to satisfy constraint`);
    return this.#getTemplate(form.get('StackName') ?? '', request);
  }

  renderError(error: ServiceError, { requestId }: { readonly requestId: string }): ServiceResponse {
    return xmlError(NAMESPACE, error, requestId);
  }

  /** Authorization comes before existence, which an unauthorized caller must not learn. */
  #getTemplate(name: string, { caller, requestId }: ServiceRequest): ServiceResponse {
    if (!/^[a-zA-Z][-a-zA-Z0-9]{0,127}$/.test(name))
      throw invalid(`Value '${name}' at 'stackName' failed to satisfy constraint`);
    const { region, account } = this.#host;
    // The last part of a stack's ARN is random on AWS: policies end with a wildcard.
    const resource = `arn:aws:cloudformation:${region}:${account}:stack/${name}/local`;
    this.#host.authorize({ caller, action: 'cloudformation:GetTemplate', resource });
    const template = this.#stacks.template(name);
    if (template === undefined) throw invalid(`Stack with id ${name} does not exist`);
    return xmlResult(NAMESPACE, 'GetTemplate', { TemplateBody: JSON.stringify(template) }, requestId);
  }
}

const invalid = (message: string): ServiceError => new ServiceError('ValidationError', message);
