#pragma once

/// A planted bug: true only in the test program that proves that the simulation finds it, where it is chosen
/// by name. Everywhere else the constant false. `tests/simulation/README.md` lists them.
#ifdef FLOWPILOT_MUTANTS
namespace fp {
bool is_mutant(const char* name);
}
#define FP_MUTANT(name) ::fp::is_mutant(name)
#else
#define FP_MUTANT(name) false
#endif
