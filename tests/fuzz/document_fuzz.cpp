#include "model/workflow.hpp"

#include <cstdlib>
#include <string_view>

namespace {

const fp::model::TaskTypeRegistry& types() {
  static const auto registry = [] {
    fp::model::TaskTypeRegistry out;
    for (const char* name : {"work", "conditional", "switch"}) {
      fp::model::TaskTypeSpec spec;
      spec.type = name;
      spec.config_schema = fp::Json(true);
      if (spec.type == "conditional") spec.ports = {"true", "false"};
      spec.dynamic_ports = spec.type == "switch";
      out.add(std::move(spec));
    }
    return out;
  }();
  return registry;
}

}  // namespace

/// A document that is accepted must be accepted again from its own canonical text, with the same hash.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  auto document = fp::model::parse_document({reinterpret_cast<const char*>(data), size});
  if (!document) return 0;
  const auto workflow = fp::model::read_workflow(std::move(*document), types());
  if (!workflow) return 0;
  auto again = fp::model::parse_document(fp::to_text((*workflow)->document));
  if (!again) std::abort();
  const auto second = fp::model::read_workflow(std::move(*again), types());
  if (!second || (*second)->hash != (*workflow)->hash) std::abort();
  return 0;
}
