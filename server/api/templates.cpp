#include "api/services.hpp"
#include "api/views.hpp"
#include "base/error_code.hpp"
#include "model/suggest.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <mutex>

namespace fp::api {

namespace {

using Response = net::Response;

/// The documents to begin with, read when somebody first asks: the server starts without them.
class Templates {
 public:
  explicit Templates(const ApiOptions& options) : options_(options) {}

  Result<Response> list() {
    read();
    JsonArray results;
    for (const auto& row : rows_) results.push_back(head_of(row));
    return json_response(200, JsonObject{{"results", std::move(results)}});
  }

  Result<Response> get(const std::string& id) {
    read();
    const auto found = std::ranges::find(rows_, id, &Row::id);
    if (found == rows_.end())
      return Error(codes::not_found, fmt::format("there is no template {}", model::quote(id)));
    auto out = head_of(*found);
    out["document"] = found->document;
    return json_response(200, out);
  }

 private:
  struct Row {
    std::string_view id;
    Json document;
  };

  static JsonObject head_of(const Row& row) {
    auto out = outline(row.document);
    out["id"] = row.id;
    return out;
  }

  void read() {
    std::call_once(once_, [this] {
      for (const auto& [id, text] : options_.templates) {
        auto document = model::parse_document(text);
        if (document) rows_.push_back({id, std::move(*document)});
      }
    });
  }

  const ApiOptions& options_;
  std::once_flag once_;
  std::vector<Row> rows_;  // not changed after once_
};

}  // namespace

void install_templates(Router& router, Services& s) {
  const auto templates = std::make_shared<Templates>(s.options);
  router.add_blocking(Operation::list_templates, [templates](Call&) { return templates->list(); });
  router.add_blocking(Operation::get_template,
                      [templates](Call& call) { return templates->get(call.text("name")); });
}

}  // namespace fp::api
