import type { Properties, ResourceContext } from '../resource.ts';
import type { Known } from './scope.ts';

/**
 * Resource types that do nothing on a laptop: they are named and can be referred to, and every property of theirs is accepted.
 * This is the one place that lists them.
 */
type Inert = (properties: Properties, context: ResourceContext) => Known;

const name = (properties: Properties, property: string, context: ResourceContext): string => {
  const given = properties[property];
  return typeof given === 'string' ? given : context.physicalName(128);
};

const arn = (context: ResourceContext, service: string, resource: string): string =>
  `arn:aws:${service}:${context.host.region}:${context.host.account}:${resource}`;

/** A resource whose Ref is its name. */
const named =
  (property: string, arnOf?: (resourceName: string, context: ResourceContext) => string): Inert =>
  (properties, context) => {
    const ref = name(properties, property, context);
    const attributes: Known['attributes'] = arnOf === undefined ? {} : { Arn: arnOf(ref, context) };
    return { ref, attributes };
  };

const plain: Inert = (_, context) => ({ ref: context.physicalName(128), attributes: {} });

const alarm = named('AlarmName', (ref, context) => arn(context, 'cloudwatch', `alarm:${ref}`));

const topic: Inert = (properties, context) => {
  const topicName = name(properties, 'TopicName', context);
  const topicArn = arn(context, 'sns', topicName);
  return { ref: topicArn, attributes: { TopicArn: topicArn, TopicName: topicName } };
};

const domainName: Inert = (properties, context) => {
  const ref = name(properties, 'DomainName', context);
  const target = `local.execute-api.${context.host.region}.amazonaws.com`;
  return {
    ref,
    attributes: {
      DistributionDomainName: target,
      DistributionHostedZoneId: 'LOCAL',
      DomainNameArn: `arn:aws:apigateway:${context.host.region}::/domainnames/${ref}`,
      RegionalDomainName: target,
      RegionalHostedZoneId: 'LOCAL',
    },
  };
};

const webAcl =
  (kind: string): Inert =>
  (properties, context) => {
    const resourceName = name(properties, 'Name', context);
    const scope = properties['Scope'] === 'CLOUDFRONT' ? 'global' : 'regional';
    const resourceArn = arn(context, 'wafv2', `${scope}/${kind}/${resourceName}/local`);
    return {
      ref: `${resourceName}|local|${String(properties['Scope'])}`,
      attributes: { Arn: resourceArn, Id: 'local' },
    };
  };

const INERT: Readonly<Record<string, Inert>> = {
  'AWS::ApiGateway::BasePathMapping': plain,
  'AWS::ApiGateway::DomainName': domainName,
  'AWS::CDK::Metadata': plain,
  'AWS::CloudWatch::Alarm': alarm,
  'AWS::CloudWatch::CompositeAlarm': alarm,
  'AWS::CloudWatch::Dashboard': named('DashboardName'),
  'AWS::Logs::LogGroup': named('LogGroupName', (ref, context) => arn(context, 'logs', `log-group:${ref}:*`)),
  'AWS::Logs::MetricFilter': named('FilterName'),
  'AWS::SNS::Subscription': plain,
  'AWS::SNS::Topic': topic,
  'AWS::SNS::TopicPolicy': plain,
  'AWS::WAFv2::IPSet': webAcl('ipset'),
  'AWS::WAFv2::LoggingConfiguration': plain,
  'AWS::WAFv2::RegexPatternSet': webAcl('regexpatternset'),
  'AWS::WAFv2::RuleGroup': webAcl('rulegroup'),
  'AWS::WAFv2::WebACL': webAcl('webacl'),
  'AWS::WAFv2::WebACLAssociation': plain,
};

/** The inert type of that name. */
export const inertType = (type: string): Inert | undefined => (Object.hasOwn(INERT, type) ? INERT[type] : undefined);
