#include "api/page.hpp"

#include "base/error_code.hpp"
#include "base/text.hpp"
#include "net/compression.hpp"
#include "net/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace fp::api {

namespace {

constexpr std::string_view kHome = "/index.html";
constexpr std::string_view kAssets = "/assets/";
constexpr std::string_view kNotThePage[] = {"api", "ws", "docs", "hooks", "healthz", "readyz", "metrics"};

constexpr std::string_view kAbsent = R"html(<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>FlowPilot</title></head>
<body>
<h1>FlowPilot is running</h1>
<p>This build of it has no page: it was compiled without the files in <code>web/dist</code>.
To build the page and the server, run <code>./dev build</code> in the source folder and start the server again.</p>
<p>The API works as ever: <a href="/docs">its documentation</a>, <a href="/readyz">its state</a>.</p>
</body>
</html>
)html";

bool takes_html(const net::Request& request) {
  const auto* accept = net::find_field(request.headers, "Accept");
  bool takes = false;
  if (accept == nullptr) return takes;
  net::for_each_part(*accept, ',', [&](std::string_view part) {
    takes = takes || net::equals_ignoring_case(net::trim(part.substr(0, part.find(';'))), "text/html");
  });
  return takes;
}

/// RFC 9110 section 13.1.2: a list, compared weakly.
bool knows(const net::Request& request, std::string_view etag) {
  const auto* seen = net::find_field(request.headers, "If-None-Match");
  bool found = false;
  if (seen == nullptr) return found;
  net::for_each_part(*seen, ',', [&](std::string_view part) {
    if (part.starts_with("W/")) part.remove_prefix(2);
    found = found || part == etag || part == "*";
  });
  return found;
}

/// The form that the client wants most, and what its encoding is called.
std::pair<const PageBody*, std::string_view> choose(const PageFile& file, const net::Request& request) {
  std::vector<std::string_view> available;
  if (file.brotli.bytes.data() != nullptr) available.emplace_back("br");
  if (file.gzip.bytes.data() != nullptr) available.emplace_back("gzip");
  const auto* accept = net::find_field(request.headers, "Accept-Encoding");
  const auto chosen = accept == nullptr ? std::string_view() : net::choose_encoding(*accept, available);
  return {chosen == "br" ? &file.brotli : chosen == "gzip" ? &file.gzip : &file.plain, chosen};
}

}  // namespace

Page::Page(const PagePack& pack)
    : policy_(fmt::format("default-src 'none'; script-src 'self'{}; style-src 'self'; img-src 'self' data:; "
                          "font-src 'self'; connect-src 'self'; worker-src 'self'; manifest-src 'self'; "
                          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
                          pack.script_hashes)) {
  for (const auto& file : pack.files) files_.emplace(file.path, &file);
}

bool Page::owns(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  const auto first = path.substr(0, path.find('/'));
  return std::ranges::find(kNotThePage, first) == std::end(kNotThePage);
}

Result<net::Response> Page::answer(const net::Request& request) const {
  const bool reads = request.method == "GET" || request.method == "HEAD";
  const bool is_home = request.path == "/";
  const auto file = files_.find(is_home ? kHome : std::string_view(request.path));
  if (!reads && (is_home || file != files_.end()))
    return Error(codes::method_not_allowed, fmt::format("{} takes GET, HEAD", echo(request.path)));
  if (reads && file != files_.end()) return send(*file->second, request);
  const bool is_view = is_home || (!request.path.starts_with(kAssets) && takes_html(request));
  if (!reads || !is_view)
    return Error(codes::not_found, fmt::format("there is nothing at {}", echo(request.path)));
  const auto home = files_.find(kHome);
  return home == files_.end() ? explain_absence() : send(*home->second, request);
}

net::Response Page::send(const PageFile& file, const net::Request& request) const {
  const auto [body, encoding] = choose(file, request);
  const bool never_changes = file.path.starts_with(kAssets);  // their names hold a hash of their content
  net::Response out;
  out.content_type = file.content_type;
  out.headers = {{"ETag", std::string(body->etag)},
                 {"Cache-Control", never_changes ? "public, max-age=31536000, immutable" : "no-cache"},
                 {"Referrer-Policy", "same-origin"},
                 {"X-Frame-Options", "DENY"},
                 {"Content-Security-Policy", policy_}};
  if (file.brotli.bytes.data() != nullptr || file.gzip.bytes.data() != nullptr)
    out.headers.emplace_back("Vary", "Accept-Encoding");
  if (knows(request, body->etag)) {
    out.status = 304;
    return out;
  }
  out.static_body = body->bytes;
  out.encoding = encoding;
  return out;
}

net::Response Page::explain_absence() const {
  net::Response out;
  out.content_type = "text/html; charset=utf-8";
  out.headers = {{"Referrer-Policy", "same-origin"}, {"X-Frame-Options", "DENY"}};
  out.static_body = kAbsent;
  return out;
}

}  // namespace fp::api
