import { Alarm, ComparisonOperator, TreatMissingData, type IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';

interface RunbookAlarmProps {
  readonly metric: IMetric;
  readonly threshold: number;
  readonly evaluationPeriods: number;
  /** True for a metric that counts what is to happen: too little of it is the fault, and so is silence. */
  readonly expected?: boolean;
  /** What has happened, in a sentence. */
  readonly says: string;
  /** File under docs/runbooks, without `.md`: an alarm that nobody knows what to do about is noise. */
  readonly runbook: string;
  readonly operators: ITopic;
}

/** An alarm that says what has happened and names the page that says what to do. */
export class RunbookAlarm extends Construct {
  constructor(scope: Construct, id: string, props: RunbookAlarmProps) {
    super(scope, id);
    new Alarm(this, 'Alarm', {
      metric: props.metric,
      threshold: props.threshold,
      evaluationPeriods: props.evaluationPeriods,
      comparisonOperator:
        props.expected === true
          ? ComparisonOperator.LESS_THAN_THRESHOLD
          : ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      treatMissingData: props.expected === true ? TreatMissingData.BREACHING : TreatMissingData.NOT_BREACHING,
      alarmDescription: `${props.says} Runbook: docs/runbooks/${props.runbook}.md`,
    }).addAlarmAction(new SnsAction(props.operators));
  }
}
