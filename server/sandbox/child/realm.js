// Runs once, before any expression: makes the realm one that no expression can change. `warmUps` are values whose
// prototypes can be reached by syntax only.
(function () {
  "use strict";
  const { ownKeys, getOwnPropertyDescriptor, getPrototypeOf, defineProperty, deleteProperty } = Reflect;
  const { freeze } = Object;

  // Shared memory, native code, the garbage collector's timing and asynchronous loading have no place here.
  for (const name of ["SharedArrayBuffer", "Atomics", "WebAssembly", "FinalizationRegistry", "WeakRef"]) {
    deleteProperty(globalThis, name);
  }
  for (const key of ownKeys(RegExp)) {
    const { configurable, get } = getOwnPropertyDescriptor(RegExp, key);
    if (configurable && get && key !== Symbol.species) deleteProperty(RegExp, key);
  }

  // A frozen prototype would make `object.constructor = 1` fail on every object that inherits from it, so these
  // become accessors whose setter defines an own property, as an ordinary assignment would.
  function allowOverride(prototype, key) {
    const { value, writable, enumerable } = getOwnPropertyDescriptor(prototype, key);
    if (!writable) return;
    defineProperty(prototype, key, {
      get: () => value,
      set: function (replacement) {
        if (this === prototype || (typeof this !== "object" && typeof this !== "function") || this === null) {
          throw new TypeError(`can't assign to property ${String(key)}: built-in objects are read-only`);
        }
        if (!defineProperty(this, key, { value: replacement, writable: true, enumerable: true, configurable: true })) {
          throw new TypeError(`can't assign to property ${String(key)}: object is not extensible`);
        }
      },
      enumerable,
      configurable: false,
    });
  }
  const errors = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  for (const { prototype } of [Object, ...errors]) {
    for (const key of ownKeys(prototype)) {
      if (typeof key === "string" && "value" in getOwnPropertyDescriptor(prototype, key)) allowOverride(prototype, key);
    }
  }

  const warmUps = [
    function () {}, () => 0, function* () {}, async function () {}, async () => 0, async function* () {},
    (function* () {})(), (async function* () {})(), (function () { return arguments; })(), class {},
    [][Symbol.iterator](), "".matchAll(/x/g), ""[Symbol.iterator](), new Map().entries(), new Set().values(),
    new Int8Array(), /x/, 0, "", true, 0n, Symbol.iterator, new Date(0), Promise.prototype,
  ];
  const seen = new Set();
  const waiting = [globalThis, ...warmUps];
  const visit = (value) => {
    if ((typeof value === "object" && value !== null) || typeof value === "function") waiting.push(value);
    else if (value !== undefined && value !== null) waiting.push(getPrototypeOf(Object(value)));
  };
  for (let next = 0; next < waiting.length; next++) {
    const object = waiting[next];
    if ((typeof object !== "object" && typeof object !== "function") || seen.has(object)) continue;
    seen.add(object);
    visit(getPrototypeOf(object));
    for (const key of ownKeys(object)) {
      const descriptor = getOwnPropertyDescriptor(object, key);
      visit(descriptor.value);
      visit(descriptor.get);
      visit(descriptor.set);
    }
  }
  for (const object of seen) {
    if (!ArrayBuffer.isView(object)) freeze(object);
  }
})();
