import { ENVIRONMENTS } from '../../infra/environments/choose.ts';
import { templatesOf } from '../support/template.ts';
import { machineryOf } from './machinery.ts';
import { permissionsOf } from './permissions.ts';
import { stateOf } from './stateful.ts';

/** One file, because loading the construct library costs more than all that follows. */
const TEMPLATES = ENVIRONMENTS.map((environment) => [environment.name, templatesOf(environment)] as const);

describe.each(TEMPLATES)('%s', (_, templates) => {
  permissionsOf(templates);
  stateOf(templates);
  machineryOf(templates);
});
