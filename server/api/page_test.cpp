#include "api/page.hpp"

#include <gtest/gtest.h>

namespace fp::api {

PagePack fixture_pack();  // of page_fixture/, packed by tools/pack_web.py

namespace {

constexpr const char* kScript = "/assets/app-1a2b3c4d.js";
constexpr const char* kText = "console.log(\"the page\")\n";

net::Response get(const std::string& path, const net::Fields& headers = {},
                  const std::string& method = "GET") {
  static const Page page(fixture_pack());
  net::Request request;
  request.method = method;
  request.path = path;
  request.headers = headers;
  auto answer = page.answer(request);
  if (answer) return std::move(*answer);
  net::Response refused;
  refused.status = answer.error().code == "not_found" ? 404 : 405;
  return refused;
}

std::string header(const net::Response& response, std::string_view name) {
  const auto* found = net::find_field(response.headers, name);
  return found == nullptr ? "" : *found;
}

TEST(Page, OwnsWhatTheServerDoesNotNeedForItself) {
  for (const auto* path : {"/", "/workflows/1", "/assets/x.js", "/apis", "/docsx", "/favicon.svg"})
    EXPECT_TRUE(Page::owns(path)) << path;
  for (const auto* path : {"/api", "/api/", "//api/workflows/", "/ws/executions/", "/docs", "/docs/docs.js",
                           "/hooks/a", "/healthz", "/readyz", "/metrics"})
    EXPECT_FALSE(Page::owns(path)) << path;
}

TEST(Page, SendsItsFilesWithoutCopyingThem) {
  const auto first = get(kScript);
  EXPECT_EQ(first.status, 200U);
  EXPECT_EQ(first.content(), kText);
  EXPECT_EQ(first.content().data(), get(kScript).content().data());
  EXPECT_EQ(first.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(get("/favicon.svg").content_type, "image/svg+xml");
}

TEST(Page, SendsTheEncodingThatIsWantedMost) {
  const auto encoding = [](const std::string& accept) {
    return get(kScript, {{"Accept-Encoding", accept}}).encoding;
  };
  EXPECT_EQ(encoding("gzip, deflate, br, zstd"), "br");
  EXPECT_EQ(encoding("gzip"), "gzip");
  EXPECT_EQ(encoding("br;q=0, *"), "gzip");
  EXPECT_EQ(encoding("br;q=0.5, gzip;q=0.8"), "gzip");
  EXPECT_EQ(encoding("*;q=0"), "");
  EXPECT_EQ(encoding("identity, br;q=0.1"), "");
  EXPECT_EQ(encoding(""), "");
  EXPECT_EQ(get(kScript, {{"Accept-Encoding", "br"}}).content(), "these bytes stand for brotli");
  EXPECT_EQ(get("/favicon.svg", {{"Accept-Encoding", "br"}}).encoding, "") << "it has no other form";
}

TEST(Page, EachFormHasATagOfItsOwnAndIsSentOnce) {
  const net::Fields brotli = {{"Accept-Encoding", "br"}};
  const auto tag = header(get(kScript, brotli), "ETag");
  EXPECT_TRUE(tag.starts_with('"') && tag.ends_with('"') && tag.size() > 20) << tag;
  EXPECT_NE(tag, header(get(kScript), "ETag"));
  auto known = brotli;
  known.emplace_back("If-None-Match", "\"other\", W/" + tag);
  const auto again = get(kScript, known);
  EXPECT_EQ(again.status, 304U);
  EXPECT_EQ(again.content(), "");
  EXPECT_EQ(header(again, "ETag"), tag);
  EXPECT_EQ(get(kScript, {{"If-None-Match", tag}}).status, 200U) << "the other form is another thing";
}

TEST(Page, KeepsAssetsForAYearAndAsksForThePageEachTime) {
  EXPECT_EQ(header(get(kScript), "Cache-Control"), "public, max-age=31536000, immutable");
  EXPECT_EQ(header(get("/"), "Cache-Control"), "no-cache");
  EXPECT_EQ(header(get(kScript), "Vary"), "Accept-Encoding");
  EXPECT_EQ(header(get("/favicon.svg"), "Vary"), "");
}

TEST(Page, GivesItsOwnPathsThePageWhenHtmlIsTaken) {
  const net::Fields browser = {{"Accept", "text/html,application/xhtml+xml,*/*;q=0.8"}};
  const auto home = get("/").content();
  EXPECT_NE(home.find("A page for tests"), std::string_view::npos);
  EXPECT_EQ(get("/workflows/019a", browser).content(), home);
  EXPECT_EQ(get("/index.html").content(), home);
  EXPECT_EQ(get("/workflows/019a").status, 404U);
  EXPECT_EQ(get("/workflows/019a", {{"Accept", "application/json"}}).status, 404U);
  EXPECT_EQ(get("/assets/gone-1234.js", browser).status, 404U);
}

TEST(Page, KnowsNoPathsButThoseOfItsFiles) {
  for (const auto* path : {"/.stamp", "/assets/", "/assets/../index.html", "/assets/app-1a2b3c4d.js.br",
                           "/../../etc/passwd", "//index.html", "/INDEX.HTML", "/assets/app-1a2b3c4d.js/"})
    EXPECT_EQ(get(path).status, 404U) << path;
}

TEST(Page, OnlyReads) {
  EXPECT_EQ(get("/", {}, "HEAD").status, 200U);
  EXPECT_EQ(get("/", {}, "POST").status, 405U);
  EXPECT_EQ(get(kScript, {}, "DELETE").status, 405U);
  EXPECT_EQ(get("/nowhere", {{"Accept", "text/html"}}, "POST").status, 404U);
}

TEST(Page, AllowsTheScriptsWrittenIntoItAndNoOthers) {
  const auto policy = header(get("/"), "Content-Security-Policy");
  EXPECT_NE(policy.find("script-src 'self' 'sha256-s9b79ftmUqh5oLc3vsxP1XpyEHpxmDhPPMBuKjX0/ys=';"),
            std::string::npos)
      << policy;
  EXPECT_EQ(policy.find("unsafe"), std::string::npos);
  EXPECT_EQ(header(get("/"), "X-Frame-Options"), "DENY");
}

TEST(Page, SaysSoWhenTheBuildHasNone) {
  const Page none(PagePack{});
  net::Request request;
  request.method = "GET";
  request.path = "/";
  const auto answer = none.answer(request);
  ASSERT_TRUE(answer);
  EXPECT_NE(answer->content().find("./dev build"), std::string_view::npos);
  request.path = "/assets/app.js";
  EXPECT_FALSE(none.answer(request));
}

}  // namespace
}  // namespace fp::api
