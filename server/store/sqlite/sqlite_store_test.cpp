#include "store/sqlite/sqlite_store.hpp"

#include <gtest/gtest.h>

#include "ports/store_contract.hpp"
#include "store/sqlite/sqlite_engine_test.hpp"

namespace fp::ports {
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, StoreContract, fp::store::SqliteEngine);
}
