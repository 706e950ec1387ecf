#include "tasks/url.hpp"

#include "tasks/text_codec.hpp"

#include <fmt/format.h>

#include <charconv>

namespace fp::tasks {

namespace {

struct UrlCloser {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK || text == nullptr) return "";
  std::string out(text);
  curl_free(text);
  return out;
}

}  // namespace

std::string Url::authority() const {
  return fmt::format("{}:{}", host, port);
}

std::optional<Url> parse_url(std::string_view text, const std::string* base) {
  if (text.empty() || text.find_first_of(std::string_view("\r\n\t\0 ", 5)) != std::string_view::npos)
    return std::nullopt;
  const std::unique_ptr<CURLU, UrlCloser> url(curl_url());
  if (base != nullptr && curl_url_set(url.get(), CURLUPART_URL, base->c_str(), 0) != CURLUE_OK)
    return std::nullopt;
  if (curl_url_set(url.get(), CURLUPART_URL, std::string(text).c_str(),
                   CURLU_NON_SUPPORT_SCHEME | CURLU_URLENCODE) != CURLUE_OK)
    return std::nullopt;
  Url out;
  out.scheme = to_lower(part_of(url.get(), CURLUPART_SCHEME));
  out.host = to_lower(part_of(url.get(), CURLUPART_HOST));
  out.path = part_of(url.get(), CURLUPART_PATH);
  out.query = part_of(url.get(), CURLUPART_QUERY);
  out.user = part_of(url.get(), CURLUPART_USER, CURLU_URLDECODE);
  out.password = part_of(url.get(), CURLUPART_PASSWORD, CURLU_URLDECODE);
  const auto port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  std::from_chars(port.data(), port.data() + port.size(), out.port);
  for (const auto secret : {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_OPTIONS, CURLUPART_FRAGMENT})
    curl_url_set(url.get(), secret, nullptr, 0);
  out.text = part_of(url.get(), CURLUPART_URL);
  return out;
}

std::vector<std::pair<std::string, std::string>> list_pairs(const Json& object) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& member : object.as_object()) {
    const auto add = [&](const Json& value) {
      if (!value.is_null()) out.emplace_back(member.key(), to_display_text(value));
    };
    if (const auto* list = member.value().if_array()) {
      for (const auto& item : *list) add(item);
    } else {
      add(member.value());
    }
  }
  return out;
}

std::string encode_pairs(const std::vector<std::pair<std::string, std::string>>& pairs) {
  std::string out;
  for (const auto& [name, value] : pairs)
    out += fmt::format("{}{}={}", out.empty() ? "" : "&", percent_encode(name), percent_encode(value));
  return out;
}

}  // namespace fp::tasks
