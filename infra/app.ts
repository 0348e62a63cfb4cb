import { App, Tags, Validations, type AppProps } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';
import { chooseEnvironment } from './environments/choose.ts';
import type { Environment } from './environments/schema.ts';
import { ExchangeStack } from './stacks/exchange.ts';
import { VaultStack } from './stacks/vault.ts';

interface BuildOptions {
  /** The environment itself, for tests; otherwise the context value `env` chooses it. */
  readonly environment?: Environment;
  /** Directory of the functions' bundles; without, for a template that is only looked at, they get a placeholder instead of their code. */
  readonly bundles?: string;
  /** False leaves the rule packs out; so does the context value `nag`, for a laptop that has waited long enough. */
  readonly nag?: boolean;
}

export interface Exchange {
  readonly app: App;
  readonly vault: VaultStack;
  readonly exchange: ExchangeStack;
}

/** The whole application: an environment in, two stacks out. */
export function build(appProps: AppProps = {}, options: BuildOptions = {}): Exchange {
  const app = new App({ analyticsReporting: false, ...appProps });
  const environment = options.environment ?? chooseEnvironment(app.node.tryGetContext('env'));
  const env = { account: environment.account, region: environment.region };
  const protect = environment.retain;
  const vault = new VaultStack(app, `valiza-${environment.name}-vault`, {
    env,
    environment,
    terminationProtection: protect,
    description: 'Valiza: keys, tables and buckets of an exchange, and the roles that its keys name',
  });
  const exchange = new ExchangeStack(app, `valiza-${environment.name}-exchange`, {
    env,
    environment,
    vault,
    bundles: options.bundles,
    terminationProtection: protect,
    description: 'Valiza: functions, workflow and API of an exchange',
  });
  Tags.of(app).add('valiza:environment', environment.name);
  if (options.nag !== false && app.node.tryGetContext('nag') !== false)
    Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  return { app, vault, exchange };
}
