import { type ApiMethod, type ApiResource, pathOf, type RestApi } from './api-model.ts';

export interface Route {
  readonly resourceId: string;
  /** For example `/v1/cases/{id}`. */
  readonly resourcePath: string;
  readonly method: ApiMethod;
  readonly pathParameters: Readonly<Record<string, string>>;
}

interface Node {
  readonly resource: ApiResource;
  readonly resourcePath: string;
  readonly methods: ReadonlyMap<string, ApiMethod>;
  readonly children: readonly Node[];
}

/** Finds the method for a request; undefined where there is none. Path segments are decoded. */
export type Router = (method: string, segments: readonly string[]) => Route | undefined;

/**
 * A router over what an API holds now. The most specific resource answers: a literal segment before a parameter before `{proxy+}`.
 * Where the resource lacks the method, `ANY` answers. https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-set-up-simple-proxy.html
 */
export function routerOf(api: RestApi): Router {
  const grow = (resource: ApiResource): Node => ({
    resource,
    resourcePath: pathOf(api, resource),
    methods: new Map(resource.methods),
    children: [...api.resources.values()].filter(({ parentId }) => parentId === resource.id).map(grow),
  });
  const root = api.resources.get(api.rootId);
  const tree = root && grow(root);
  return (method, segments) => {
    const match = tree && find(tree, segments, {});
    const answering = match?.node.methods.get(method) ?? match?.node.methods.get('ANY');
    return match && answering
      ? {
          resourceId: match.node.resource.id,
          resourcePath: match.node.resourcePath,
          method: answering,
          pathParameters: match.parameters,
        }
      : undefined;
  };
}

interface Match {
  readonly node: Node;
  readonly parameters: Readonly<Record<string, string>>;
}

function find(node: Node, segments: readonly string[], parameters: Match['parameters']): Match | undefined {
  const [first, ...rest] = segments;
  // A resource without any method is only a step on the way to others.
  if (first === undefined) return node.methods.size > 0 ? { node, parameters } : undefined;
  if (first === '') return undefined;
  const literal = node.children.filter(({ resource }) => resource.pathPart === first);
  const variable = node.children.filter(({ resource }) => /^\{[^+]+\}$/.test(resource.pathPart));
  for (const child of [...literal, ...variable]) {
    const own = literal.includes(child) ? {} : { [child.resource.pathPart.slice(1, -1)]: first };
    const match = find(child, rest, { ...parameters, ...own });
    if (match !== undefined) return match;
  }
  const greedy = node.children.find(({ resource }) => /^\{.+\+\}$/.test(resource.pathPart));
  return (
    greedy && {
      node: greedy,
      parameters: { ...parameters, [greedy.resource.pathPart.slice(1, -2)]: segments.join('/') },
    }
  );
}
