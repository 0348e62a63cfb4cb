'use strict';
const { existsSync, readFileSync } = require('node:fs');
const { createRequire, isBuiltin } = require('node:module');
const { join, sep } = require('node:path');
const vm = require('node:vm');

const named = (name, message) => Object.assign(new Error(message), { name });

/**
 * A bundle finds the built-in modules and its own directory, and nothing else: what stands in a `node_modules` further up
 * would not be there on AWS either.
 */
const requireWithin = (directory, file) => {
  const require = createRequire(file);
  const within = (id) => {
    const resolved = require.resolve(id);
    if (!resolved.startsWith(directory + sep))
      throw Object.assign(new Error(`Cannot find module '${id}'`), { code: 'MODULE_NOT_FOUND' });
    return require(id);
  };
  return Object.assign((id) => (isBuiltin(id) ? require(id) : within(id)), require);
};

/**
 * Compiles a CommonJS bundle without asking the nearest package.json what `.js` means: an assembly lies inside a repository
 * whose package may be of type `module`, an asset on AWS does not.
 */
const loadCommonJs = (directory, file) => {
  const module = { exports: {}, id: file, filename: file, loaded: false };
  const names = ['exports', 'require', 'module', '__filename', '__dirname'];
  const compiled = vm.compileFunction(readFileSync(file, 'utf8').replace(/^#!.*/, ''), names, {
    filename: file,
    importModuleDynamically: vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER,
  });
  compiled.call(module.exports, module.exports, requireWithin(directory, file), module, file, directory);
  module.loaded = true;
  return module.exports;
};

const importModule = (directory, name) => {
  const file = ['.js', '.cjs'].map((extension) => join(directory, name + extension)).find((path) => existsSync(path));
  if (file === undefined) throw named('Runtime.ImportModuleError', `Error: Cannot find module '${name}'`);
  try {
    return loadCommonJs(directory, file);
  } catch (error) {
    if (error instanceof SyntaxError) throw named('Runtime.UserCodeSyntaxError', String(error));
    if (error?.code === 'MODULE_NOT_FOUND') throw named('Runtime.ImportModuleError', String(error));
    throw error;
  }
};

/**
 * The handler that `file.export` names, with the errors of the Node.js runtime.
 * https://docs.aws.amazon.com/lambda/latest/dg/nodejs-handler.html
 */
exports.loadHandler = (directory, name) => {
  const [file, ...path] = name.split('.');
  let handler = importModule(directory, file);
  for (const part of path) handler = handler?.[part];
  if (handler === undefined) throw named('Runtime.HandlerNotFound', `${name} is undefined or not exported`);
  if (typeof handler !== 'function') throw named('Runtime.HandlerNotFound', `${name} is not a function`);
  if (handler.length >= 3)
    throw named(
      'Runtime.CallbackHandlerDeprecated',
      'The Node.js 24 runtime does not support callback-based handlers: write an async handler of (event, context).',
    );
  return handler;
};
