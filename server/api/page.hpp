#pragma once

#include "base/result.hpp"
#include "net/message.hpp"

#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>

namespace fp::api {

/// One form of a file: as it is, or compressed. No bytes at all (null) when there is no such form.
struct PageBody {
  std::string_view bytes;
  std::string_view etag;  // with its quotes
};

struct PageFile {
  std::string_view path;  // "/assets/app-1a2b3c4d.js"
  std::string_view content_type;
  PageBody plain;
  PageBody brotli;
  PageBody gzip;
};

/// The files of the web page as tools/pack_web.py packs them into the program.
struct PagePack {
  std::span<const PageFile> files;  // none: this build has no page
  std::string_view script_hashes;   // of the scripts written into index.html, as a Content-Security-Policy
                                    // names them: " 'sha256-...'"
};

/// Answers what is no route of contract/openapi.yaml with the web page. Files are found by their whole path
/// in a map, so no path leads anywhere else; a path without a file is one of the page's own (/workflows/ID)
/// and gets index.html when the client takes HTML. Immutable, thread-safe; what it sends is never copied.
class Page {
 public:
  explicit Page(const PagePack& pack);

  /// Is this path left to the page? Not what belongs to the API, live feeds, webhooks and operations.
  static bool owns(std::string_view path);
  /// Errors: not_found, method.not_allowed.
  Result<net::Response> answer(const net::Request& request) const;

 private:
  net::Response send(const PageFile& file, const net::Request& request) const;
  net::Response explain_absence() const;

  std::map<std::string_view, const PageFile*> files_;
  std::string policy_;
};

}  // namespace fp::api
