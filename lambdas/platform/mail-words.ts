import type { NoticeVerb } from '../domain/notices.ts';
import type { Person } from '../domain/people.ts';

type Language = Person['language'];
type Words = Readonly<Record<NoticeVerb, string>>;

const en: Words = {
  'request-arrived': 'A request has arrived for you to prepare',
  'nobody-can-decide': 'A request waits that no approver can decide',
  'proposal-reminder': 'A reminder: a request still awaits your proposal',
  'decision-reminder': 'A reminder: a proposal still awaits your decision',
  'clarification-reminder': 'A reminder: a clarification is still asked of you',
  'assurance-reminder': 'A reminder: an assurance is still asked of your authority',
  'notice-undelivered': 'A notice did not reach its reader: see that the case is attended to',
  'proposal-awaits-you': 'A proposal awaits your decision',
  'decision-overdue': 'A decision is overdue and has been escalated',
  'clarification-asked': 'A clarification is asked of you',
  'clarification-answered': 'A clarification has been answered',
  'assurance-due': 'An assurance is asked of your authority',
  'request-registered': 'Your request has been registered',
  'request-inadmissible': 'Your request is not admissible',
  'request-refused': 'Your request has been answered: no release',
  'request-lapsed': 'A request has lapsed',
  'request-approved': 'Your request has been approved',
  'release-open': 'A release is open',
  'release-suspended': 'A release is suspended',
  'release-resumed': 'A release has been resumed',
  'resumption-awaits-you': 'A release awaits a second person to be resumed',
  'release-ending': 'A release has ended',
  'case-closed': 'A case is closed',
  'case-withdrawn': 'A request has been withdrawn',
};

const fr: Words = {
  'request-arrived': 'Une demande est arrivée : à vous de la préparer',
  'nobody-can-decide': "Une demande attend qu'aucun approbateur ne peut trancher",
  'proposal-reminder': 'Rappel : une demande attend toujours votre proposition',
  'decision-reminder': 'Rappel : une proposition attend toujours votre décision',
  'clarification-reminder': 'Rappel : une précision vous est toujours demandée',
  'assurance-reminder': 'Rappel : une assurance est toujours demandée à votre autorité',
  'notice-undelivered': 'Un avis n’a pas atteint son destinataire : veillez à ce que le dossier soit suivi',
  'proposal-awaits-you': 'Une proposition attend votre décision',
  'decision-overdue': 'Une décision est en retard et a été portée à l’échelon supérieur',
  'clarification-asked': 'Une précision vous est demandée',
  'clarification-answered': 'Une précision a été apportée',
  'assurance-due': 'Une assurance est demandée à votre autorité',
  'request-registered': 'Votre demande a été enregistrée',
  'request-inadmissible': 'Votre demande est irrecevable',
  'request-refused': 'Votre demande a reçu une réponse : aucune communication',
  'request-lapsed': 'Une demande est caduque',
  'request-approved': 'Votre demande a été approuvée',
  'release-open': 'Une communication est ouverte',
  'release-suspended': 'Une communication est suspendue',
  'release-resumed': 'Une communication a repris',
  'resumption-awaits-you': 'Une communication attend une deuxième personne pour reprendre',
  'release-ending': 'Une communication a pris fin',
  'case-closed': 'Un dossier est clos',
  'case-withdrawn': 'Une demande a été retirée',
};

const uk: Words = {
  'request-arrived': 'Надійшов запит: підготуйте його',
  'nobody-can-decide': 'Є запит, який нікому вирішити',
  'proposal-reminder': 'Нагадування: запит досі чекає на вашу пропозицію',
  'decision-reminder': 'Нагадування: пропозиція досі чекає на ваше рішення',
  'clarification-reminder': 'Нагадування: від вас досі потрібне уточнення',
  'assurance-reminder': 'Нагадування: від вашого органу досі потрібне запевнення',
  'notice-undelivered': 'Сповіщення не дійшло до адресата: подбайте, щоб справою хтось займався',
  'proposal-awaits-you': 'Пропозиція чекає на ваше рішення',
  'decision-overdue': 'Рішення прострочено, справу передано вище',
  'clarification-asked': 'Від вас потрібне уточнення',
  'clarification-answered': 'Уточнення надано',
  'assurance-due': 'Від вашого органу потрібне запевнення',
  'request-registered': 'Ваш запит зареєстровано',
  'request-inadmissible': 'Ваш запит неприйнятний',
  'request-refused': 'На ваш запит дано відповідь: без передачі',
  'request-lapsed': 'Запит втратив чинність',
  'request-approved': 'Ваш запит схвалено',
  'release-open': 'Доступ відкрито',
  'release-suspended': 'Доступ призупинено',
  'release-resumed': 'Доступ поновлено',
  'resumption-awaits-you': 'Поновлення доступу чекає на другу особу',
  'release-ending': 'Доступ завершено',
  'case-closed': 'Справу закрито',
  'case-withdrawn': 'Запит відкликано',
};

const WORDS: Readonly<Record<Language, Words>> = { en, fr, uk };

const LABELS: Readonly<Record<Language, { case: string; due: string; open: string; note: string; exercise: string }>> =
  {
    en: {
      case: 'Case',
      due: 'Due before',
      open: 'Open it after signing in',
      note: 'This message decides nothing and opens nothing.',
      exercise: 'EXERCISE',
    },
    fr: {
      case: 'Dossier',
      due: 'Échéance (avant)',
      open: 'À ouvrir après connexion',
      note: 'Ce message ne décide rien et n’ouvre rien.',
      exercise: 'EXERCICE (EXERCISE)',
    },
    uk: {
      case: 'Справа',
      due: 'Термін (до)',
      open: 'Відкрийте після входу',
      note: 'Це повідомлення нічого не вирішує і нічого не відкриває.',
      exercise: 'НАВЧАННЯ (EXERCISE)',
    },
  };

export interface MailText {
  readonly subject: string;
  readonly text: string;
}

/** An instant in UTC and in the reader's own zone. */
function inBothZones(instant: string, reader: Pick<Person, 'language' | 'zone'>): string {
  const local = new Intl.DateTimeFormat(reader.language, {
    timeZone: reader.zone,
    dateStyle: 'medium',
    timeStyle: 'short',
  }).format(new Date(instant));
  return `${instant.slice(0, 16).replace('T', ' ')} UTC (${local}, ${reader.zone})`;
}

/**
 * A notice in the reader's language: verb, case id, due time, link; nothing of the case itself (promise S7).
 * @param link opens a page after signing in; it decides nothing
 */
export function mailText(
  notice: {
    readonly verb: NoticeVerb;
    readonly caseId: string;
    readonly dueAt: string | undefined;
    readonly exercise: boolean;
    readonly link: string;
  },
  reader: Pick<Person, 'language' | 'zone'>,
): MailText {
  const labels = LABELS[reader.language];
  const mark = notice.exercise ? `[${labels.exercise}] ` : '';
  const verb = WORDS[reader.language][notice.verb];
  const lines = [
    `${mark}${verb}.`,
    '',
    `${labels.case}: ${notice.caseId}`,
    ...(notice.dueAt === undefined ? [] : [`${labels.due}: ${inBothZones(notice.dueAt, reader)}`]),
    `${labels.open}: ${notice.link}`,
    '',
    labels.note,
  ];
  return { subject: `${mark}${verb}: ${notice.caseId.slice(0, 8)}`, text: lines.join('\n') };
}
