import { cleanup, configure } from "@testing-library/react";
import "fake-indexeddb/auto";
import { afterEach } from "vitest";

// There is no layout in these tests: every scrolling box is 600 px high, so that virtual lists draw some rows.
for (const name of ["offsetHeight", "clientHeight"]) Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => 600 });
for (const name of ["offsetWidth", "clientWidth"]) Object.defineProperty(HTMLElement.prototype, name, { configurable: true, get: () => 800 });

afterEach(cleanup);

configure({ asyncUtilTimeout: 20_000 }); // what comes comes at once; only a busy machine takes longer
