#include "store/sqlite/batch_totals.hpp"

#include "store/sqlite/rollups.hpp"

namespace fp::store {

void BatchTotals::count(const WorkflowKey& key, std::string_view status, std::int64_t difference) {
  counts_[{&key, std::string(status)}] += difference;
}

void BatchTotals::write(Connection& writer, Rollups& known) const {
  for (const auto& [what, difference] : counts_) {
    if (difference == 0) continue;
    const auto& [key, status] = what;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(key->workflow.data());
    writer.use(sql::add_count)
        .bind(1, std::span(bytes, key->workflow.size()))
        .bind(2, std::string_view(key->name))
        .bind(3, std::string_view(status))
        .bind(4, difference)
        .run();
  }
  add_rollups(writer, rollups_, known);
}

}  // namespace fp::store
