import type { ServiceError, ServiceResponse } from '../service.ts';

/** Answers of the query protocol. https://smithy.io/2.0/aws/protocols/aws-query-protocol.html */
export type XmlValue = string | { readonly [name: string]: XmlValue };

const escape = (text: string): string => text.replace(/[&<>"']/g, (character) => `&#${character.codePointAt(0) ?? 0};`);

const render = (value: XmlValue): string =>
  typeof value === 'string'
    ? escape(value)
    : Object.entries(value)
        .map(([name, inner]) => `<${name}>${render(inner)}</${name}>`)
        .join('');

const xml = (status: number, body: string): ServiceResponse => ({
  status,
  headers: { 'content-type': 'text/xml' },
  body,
});

export const xmlResult = (
  namespace: string,
  operation: string,
  result: XmlValue,
  requestId: string,
): ServiceResponse => {
  const content = render({ [`${operation}Result`]: result, ResponseMetadata: { RequestId: requestId } });
  return xml(200, `<${operation}Response xmlns="${namespace}">${content}</${operation}Response>`);
};

export const xmlError = (namespace: string, error: ServiceError, requestId: string): ServiceResponse => {
  const { code, message, status } = error;
  const content = render({
    Error: { Type: status < 500 ? 'Sender' : 'Receiver', Code: code, Message: message },
    RequestId: requestId,
  });
  return xml(status, `<ErrorResponse xmlns="${namespace}">${content}</ErrorResponse>`);
};
