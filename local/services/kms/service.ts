import type { KeyUse } from '../../ports.ts';
import type { ResourceType } from '../../resource.ts';
import {
  ServiceError,
  jsonError,
  jsonResponse,
  jsonTarget,
  notImplemented,
  readBody,
  type Host,
  type Service,
  type ServiceRequest,
  type ServiceResponse,
} from '../../service.ts';
import { authorizeUse } from './authorization.ts';
import { KeyRing } from './key-ring.ts';
import { assertEnabled } from './key.ts';
import { operations } from './operations.ts';
import type { PrincipalExists } from '../policy-principals.ts';
import { aliasResource, keyResource } from './resources.ts';

/** AWS Key Management Service: symmetric keys and key pairs that sign, over node:crypto. https://docs.aws.amazon.com/kms/latest/APIReference/Welcome.html */
export class KmsService implements Service, KeyUse {
  readonly signingName = 'kms';
  readonly types: ResourceType[];
  readonly #host: Host;
  readonly #ring: KeyRing;

  /** @param exists whether a role that a key policy names is there; by default only the form and the account of its ARN are checked */
  constructor(host: Host, exists: PrincipalExists = () => true) {
    this.#host = host;
    this.#ring = new KeyRing(host);
    this.types = [keyResource(this.#ring, exists), aliasResource(this.#ring)];
  }

  operationOf(request: Pick<ServiceRequest, 'headers'>): string | undefined {
    const target = request.headers['x-amz-target'];
    return target?.startsWith('TrentService.') === true ? jsonTarget(request) : undefined;
  }

  async handle(request: ServiceRequest): Promise<ServiceResponse> {
    const name = this.operationOf(request);
    if (name === undefined) throw new ServiceError('UnknownOperationException', 'The operation is not known.');
    const operation = Object.hasOwn(operations, name) ? operations[name] : undefined;
    if (operation === undefined) throw notImplemented(`kms:${name}`);
    const input = parseJson(await readBody(request.body));
    return jsonResponse(operation(input, { host: this.#host, ring: this.#ring, caller: request.caller }), '1.1');
  }

  renderError(error: ServiceError): ServiceResponse {
    return jsonError(error, '1.1');
  }

  assertUsable(use: Parameters<KeyUse['assertUsable']>[0]): void {
    const found = this.#ring.find(use.keyId);
    for (const action of use.actions) {
      // Beside the calls of the application: services keep the data keys that they are given for a while, and AWS bills fewer than this.
      this.#host.meter.count(`kms for ${use.viaService ?? 'the caller'}`, action.replace('kms:', ''));
      authorizeUse(this.#host, this.#ring, {
        caller: use.caller,
        action,
        found,
        encryptionContext: use.encryptionContext ?? {},
        viaService: use.viaService,
      });
    }
    assertEnabled(this.#ring.inEffect(found.key));
  }

  /**
   * Takes a key out of use, as CloudFormation does when its resource is removed from the template.
   * @param keyId key id, key ARN, alias name or alias ARN
   */
  scheduleDeletion(keyId: string): void {
    this.#ring.scheduleDeletion(keyId);
  }
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not JSON.');
  }
}
