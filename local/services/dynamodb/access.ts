import type { Caller, ConditionContext } from '../../iam/policy.ts';
import type { KeyUse } from '../../ports.ts';
import type { Host } from '../../service.ts';
import type { AttributeValue, Item } from './attribute-value.ts';
import { isExpression, isPath, type Operand } from './condition.ts';
import type { Parameters } from './request.ts';
import { attributeNames, type Table } from './table.ts';
import type { Tables } from './tables.ts';

export interface Access {
  /** `PutItem`, `ConditionCheckItem`, … */
  readonly action: string;
  readonly tableName: string;
  readonly indexName?: string | undefined;
  /** Items whose partition key the policy may look at. */
  readonly keys?: readonly Item[];
  /** Partition key values, where they are not those of items. */
  readonly leading?: readonly AttributeValue[];
  readonly attributes?: Iterable<string>;
  readonly select?: string | undefined;
  readonly returnValues?: string | undefined;
  readonly returnConsumedCapacity?: string | undefined;
  /** The transaction that the action is part of. */
  readonly enclosing?: 'TransactWriteItems' | 'TransactGetItems';
}

const text = (value: AttributeValue): string => String(Object.values(value)[0]);

/** Asks whether a caller may do what it asks for, of DynamoDB and of the key that a table is encrypted with. */
export class AccessCheck {
  readonly #host: Host;
  readonly #keys: KeyUse;
  readonly #tables: Tables;

  constructor(host: Host, keys: KeyUse, tables: Tables) {
    this.#host = host;
    this.#keys = keys;
    this.#tables = tables;
  }

  /**
   * Condition keys: https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html#FGAC_DDB.ConditionKeys .
   * A key is there only if the request carries it. Authorization comes before existence, which an unauthorized caller must not learn.
   */
  authorize(caller: Caller, access: Access): void {
    const arn = this.#tables.arnOf(access.tableName);
    const leading = access.leading?.map(text) ?? this.#partitionKeys(access.tableName, access.keys ?? []);
    const attributes = [...new Set(access.attributes)];
    const context: ConditionContext = {
      ...(leading.length > 0 && { 'dynamodb:LeadingKeys': leading }),
      ...(attributes.length > 0 && { 'dynamodb:Attributes': attributes }),
      'dynamodb:Select': access.select,
      'dynamodb:ReturnValues': access.returnValues,
      'dynamodb:ReturnConsumedCapacity': access.returnConsumedCapacity,
      'dynamodb:EnclosingOperation': access.enclosing,
    };
    this.#host.authorize({
      caller,
      action: `dynamodb:${access.action}`,
      resource: access.indexName === undefined ? arn : `${arn}/index/${access.indexName}`,
      context,
    });
  }

  /**
   * Every use of a table with a customer managed key is a use of the key on the caller's behalf.
   * https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html
   */
  assertReadable(caller: Caller, table: Table): void {
    if (table.encryption.keyId === undefined) return;
    this.#keys.assertUsable({
      caller,
      keyId: table.encryption.keyId,
      actions: ['kms:Decrypt'],
      viaService: 'dynamodb',
      encryptionContext: { 'aws:dynamodb:tableName': table.name, 'aws:dynamodb:subscriberId': this.#host.account },
    });
  }

  #partitionKeys(tableName: string, keys: readonly Item[]): string[] {
    if (!this.#tables.has(tableName)) return [];
    const [name = ''] = attributeNames(this.#tables.get(tableName).schema.KeySchema);
    return keys.flatMap((key) => (key[name] === undefined ? [] : [text(key[name])]));
  }
}

/** Names of all attributes that a request speaks of. */
export function* attributesOf(parameters: Parameters): Iterable<string> {
  yield* Object.keys(parameters.Key ?? {});
  yield* Object.keys(parameters.Item ?? {});
  yield* Object.keys(parameters._condition?.pathHeads ?? {});
  yield* Object.keys(parameters._filter?.pathHeads ?? {});
  for (const path of parameters._projection?.paths ?? []) yield String(path[0]);
  for (const action of parameters._updates?.sections ?? []) {
    yield String(action.path[0]);
    if (action.val !== undefined) yield* attributesOfOperand(action.val);
  }
}

function* attributesOfOperand(operand: Operand): Iterable<string> {
  if (isPath(operand)) yield String(operand[0]);
  else if (isExpression(operand)) for (const part of operand.args) yield* attributesOfOperand(part);
}
