#include "base/json_parse.hpp"
#include "tasks/mail_transfer.hpp"
#include "tasks/network.hpp"
#include "tasks/test_peer.hpp"
#include "tasks/text_codec.hpp"

#include <gtest/gtest.h>

namespace fp::tasks {
namespace {

const TimePoint kNow = *parse_rfc3339("2026-01-31T08:15:00Z");

Mail sample() {
  Mail mail;
  mail.from = {"Team", "team@example.org"};
  mail.to = {{"", "ada@example.org"}};
  mail.subject = "Hello";
  mail.text = "Good to have you.";
  mail.message_id = "<id@example.org>";
  return mail;
}

TEST(BuildMessage, WritesAPlainMail) {
  EXPECT_EQ(*build_message(sample(), kNow),
            "Date: Sat, 31 Jan 2026 08:15:00 +0000\r\nFrom: \"Team\" <team@example.org>\r\nTo: "
            "ada@example.org\r\nMessage-ID: <id@example.org>\r\n"
            "Subject: Hello\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\nContent-Type: "
            "text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: 7bit\r\n\r\nGood to have you.\r\n");
}

TEST(BuildMessage, CodesWhatIsNotAscii) {
  Mail mail = sample();
  mail.subject =
      "Gr\xc3\xbc\xc3\x9f"
      "e";
  mail.to = {{"J\xc3\xb6rg", "joerg@example.org"}};
  mail.text = "caf\xc3\xa9 = good\nnext ";
  const auto message = *build_message(mail, kNow);
  EXPECT_NE(message.find("Subject: =?UTF-8?B?R3LDvMOfZQ==?=\r\n"), std::string::npos);
  EXPECT_NE(message.find("To: =?UTF-8?B?SsO2cmc=?= <joerg@example.org>\r\n"), std::string::npos);
  EXPECT_NE(message.find("quoted-printable\r\n\r\ncaf=C3=A9 =3D good\r\nnext=20\r\n"), std::string::npos);
}

TEST(BuildMessage, KeepsLinesShort) {
  Mail mail = sample();
  for (int i = 0; i < 40; ++i) mail.subject += i % 2 == 0 ? " w\xc3\xb6rter" : " words";
  mail.text = std::string(5000, 'x') + "\n" + std::string(300, '\xc3');
  mail.text.resize(5000 + 1);
  mail.text += "\xe2\x82\xac";
  mail.attachments = {{"a.bin", "", std::string(1000, '\0')}};
  const auto message = *build_message(mail, kNow);
  for (std::size_t at = 0; at < message.size();) {
    const auto end = message.find("\r\n", at);
    ASSERT_NE(end, std::string::npos);
    EXPECT_LE(end - at, 78u) << message.substr(at, end - at);
    at = end + 2;
  }
}

TEST(BuildMessage, PutsTextHtmlAndAttachmentsTogether) {
  Mail mail = sample();
  mail.html = "<b>Hi</b>";
  mail.attachments = {{"r\xc3\xa9sum\xc3\xa9 \"1\".txt", "text/plain", "hello"}};
  const auto message = *build_message(mail, kNow);
  const auto mixed = message.find("multipart/mixed");
  const auto alternative = message.find("multipart/alternative");
  EXPECT_LT(mixed, alternative);
  EXPECT_LT(alternative, message.find("text/plain; charset"));
  EXPECT_LT(message.find("text/plain; charset"), message.find("text/html"));
  EXPECT_NE(
      message.find(
          "filename=\"r__sum__ \\\"1\\\".txt\";\r\n filename*=UTF-8''r%C3%A9sum%C3%A9%20%221%22.txt\r\n"),
      std::string::npos);
  EXPECT_NE(message.find("aGVsbG8=\r\n"), std::string::npos);
}

TEST(BuildMessage, LetsNoValueStartAHeader) {
  Mail subject = sample();
  subject.subject = "Hi\r\nBcc: evil@example.org";
  Mail name = sample();
  name.attachments = {{"a\r\nX: 1", "text/plain", ""}};
  EXPECT_EQ(build_message(subject, kNow).error().code, "smtp.header");
  EXPECT_EQ(build_message(name, kNow).error().code, "smtp.header");
  for (const char* text : {"a@example.org\r\nX: 1", "A\n<a@example.org>", "a@exa\tmple.org"})
    EXPECT_EQ(parse_mail_address(text).error().code, "smtp.header");
}

TEST(ParseMailAddress, ReadsTheUsualForms) {
  EXPECT_EQ(*parse_mail_address(" ada@example.org "), (MailAddress{"", "ada@example.org"}));
  EXPECT_EQ(*parse_mail_address("Ada Lovelace <ada@example.org>"),
            (MailAddress{"Ada Lovelace", "ada@example.org"}));
  EXPECT_EQ(*parse_mail_address(R"("Lovelace, \"Ada\"" <a.l+x@sub.example.org>)"),
            (MailAddress{"Lovelace, \"Ada\"", "a.l+x@sub.example.org"}));
  for (const char* bad :
       {"", "ada", "@example.org", "ada@", "a b@example.org", "ada@exa mple.org", ".a@example.org",
        "a..b@example.org", "ada@example.org>", "a@b@c", "<ada@example.org", "\xc3\xb6@example.org",
        "ada@ex\xc3\xb6.org", "<>", "a@x,b@x"}) {
    EXPECT_FALSE(parse_mail_address(bad)) << bad;
  }
  EXPECT_EQ(split_addresses(R"(a@x, "B, C" <b@y>,, c@z)"),
            (std::vector<std::string>{"a@x", "\"B, C\" <b@y>", "c@z"}));
}

TEST(MailServer, WantsTlsUnlessTheServerIsOnThisMachine) {
  EXPECT_FALSE(parse_mail_server("smtp://mail.example.org:587")->clear_text);
  EXPECT_FALSE(parse_mail_server("smtps://mail.example.org")->clear_text);
  EXPECT_FALSE(parse_mail_server("smtp://10.0.0.1")->clear_text);
  EXPECT_TRUE(parse_mail_server("smtp://127.0.0.1:1025")->clear_text);
  EXPECT_TRUE(parse_mail_server("smtp://localhost")->clear_text);
  EXPECT_TRUE(parse_mail_server("smtp://mailhost:1025/?tls=none")->clear_text);
  for (const char* bad :
       {"http://mail.example.org", "mail.example.org", "smtp://", "smtp://a/?tls=maybe", ""})
    EXPECT_EQ(parse_mail_server(bad).error().code, "smtp.url") << bad;
}

/// Plays a mail server that answers each command as the table says, "250 ok" otherwise, and keeps what it
/// heard.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::map<std::string, std::string> answers = {})
      : answers_(std::move(answers)), peer_([this](TestConversation& c) { talk(c); }) {}
  std::string url(const std::string& user = "") const {
    return "smtp://" + user + "127.0.0.1:" + std::to_string(peer_.port());
  }
  std::string heard() {
    const std::lock_guard lock(mutex_);
    return heard_;
  }

 private:
  void talk(TestConversation& peer) {
    peer.send("220 here\r\n");
    bool in_data = false;
    for (auto line = peer.read_line(); !line.empty(); line = peer.read_line()) {
      {
        const std::lock_guard lock(mutex_);
        heard_ += line;
      }
      const auto verb = line.substr(0, 4);
      if (in_data && line != ".\r\n") continue;
      const auto key = in_data ? std::string(".") : verb;
      in_data = !in_data && verb == "DATA" && !answers_.contains("DATA");
      const auto found = answers_.find(key);
      const auto text = found != answers_.end() ? found->second : in_data ? "354 go" : "250 ok";
      if (text.empty() || !peer.send(text + "\r\n")) return;
    }
  }

  std::map<std::string, std::string> answers_;
  std::mutex mutex_;
  std::string heard_;  // guarded by mutex_
  TestPeer peer_;
};

class SendEmailTest : public testing::Test {
 protected:
  ports::TaskHandler::Output send(const std::string& url, JsonObject extra = {}, bool allow_loopback = true) {
    const auto network = std::make_shared<Network>(AddressGuard(allow_loopback, {}), "");
    const auto handler = make_send_email_handler(network, clock_, {"", "flowpilot@example.org"});
    JsonObject config{{"to", "ada@example.org"},
                      {"bcc", JsonArray{"boss@example.org"}},
                      {"subject", "Hi"},
                      {"text", "line\n.dot\n"}};
    if (!url.empty()) config["smtp_url"] = url;
    for (const auto& member : extra) config.insert_or_assign(member.key(), member.value());
    return TestAttempt(*handler, config, std::chrono::seconds(10)).wait();
  }
  SystemClock clock_;
};

TEST_F(SendEmailTest, HandsTheMessageOver) {
  ScriptedServer server;
  const auto output = send(server.url());
  ASSERT_TRUE(output) << output.error().message;
  EXPECT_EQ(output->at("status"), Json("sent"));
  const auto heard = server.heard();
  EXPECT_NE(heard.find("EHLO example.org\r\n"), std::string::npos);
  EXPECT_NE(heard.find("MAIL FROM:<flowpilot@example.org>"), std::string::npos);
  EXPECT_NE(heard.find("RCPT TO:<ada@example.org>"), std::string::npos);
  EXPECT_NE(heard.find("RCPT TO:<boss@example.org>"), std::string::npos);
  EXPECT_EQ(heard.find("Bcc"), std::string::npos);
  EXPECT_NE(heard.find("\r\nline\r\n..dot\r\n"), std::string::npos);
  EXPECT_NE(heard.find("Message-ID: " + json_string(*output, "message_id") + "\r\n"), std::string::npos);
}

TEST_F(SendEmailTest, GivesEveryAttemptTheSameMessageId) {
  ScriptedServer server;
  EXPECT_EQ(send(server.url())->at("message_id"), send(server.url())->at("message_id"));
}

TEST_F(SendEmailTest, TellsWhatTheServerRefused) {
  struct Row {
    std::map<std::string, std::string> answers;
    const char* code;
    bool retryable;
  };
  const Row rows[] = {{{{"RCPT", "550 no such user"}}, "smtp.5xx", false},
                      {{{"RCPT", "451 greylisted"}}, "smtp.4xx", true},
                      {{{"MAIL", "421 busy"}}, "smtp.4xx", true},
                      {{{".", "554 spam"}}, "smtp.5xx", false},
                      {{{".", "452 full"}}, "smtp.4xx", true},
                      {{{".", ""}}, "smtp.protocol", true},
                      {{{"DATA", "503 not now"}}, "smtp.5xx", false}};
  for (const auto& row : rows) {
    ScriptedServer server(row.answers);
    const auto output = send(server.url());
    EXPECT_EQ(code_of(output), row.code) << row.answers.begin()->first << row.answers.begin()->second;
    EXPECT_EQ(output.error().retryable, row.retryable);
  }
}

TEST_F(SendEmailTest, NeverRepeatsThePassword) {
  ScriptedServer server({{"EHLO", "250 AUTH PLAIN"}, {"AUTH", "535 wrong: s3cret"}});
  const auto output = send(server.url("ada:s3cret@"));
  EXPECT_EQ(code_of(output), "smtp.auth");
  EXPECT_EQ(to_text(to_json(output.error())).find("s3cret"), std::string::npos);
  const auto bad_url = send("smtpx://ada:s3cret@host");
  EXPECT_EQ(code_of(bad_url), "smtp.url");
  EXPECT_EQ(bad_url.error().message.find("s3cret"), std::string::npos);
}

TEST_F(SendEmailTest, RefusesBeforeItConnects) {
  ScriptedServer server;
  EXPECT_EQ(code_of(send("")), "smtp.no_server");
  EXPECT_EQ(code_of(send(server.url(), {}, false)), "smtp.blocked_address");
  EXPECT_EQ(code_of(send(server.url(), {{"to", "nobody"}})), "smtp.address");
  EXPECT_EQ(code_of(send(server.url(), {{"to", JsonArray()}, {"bcc", ""}})), "smtp.address");
  EXPECT_EQ(code_of(send(server.url(), {{"subject", "a\nb"}})), "smtp.header");
  EXPECT_EQ(
      code_of(send(server.url(),
                   {{"attachments",
                     JsonArray{JsonObject{{"filename", "a"}, {"content", "?"}, {"encoding", "base64"}}}}})),
      "smtp.attachment");
  EXPECT_EQ(server.heard(), "");
}

TEST_F(SendEmailTest, SendsNothingInClearToOtherMachines) {
  ScriptedServer server;
  const auto network = std::make_shared<Network>(AddressGuard(true, {}), "");
  // Loopback by another name: the server offers no STARTTLS, so the mail stays here.
  const auto mail_server =
      MailServer{*parse_url("smtp://127.0.0.1:" + server.url().substr(server.url().rfind(':') + 1)), false};
  std::promise<ports::TaskHandler::Output> promise;
  auto control = std::make_shared<ports::AttemptControl>();
  const auto id = network->loop.make_id();
  network->loop.submit(id,
                       std::make_unique<MailTransfer>(
                           network->guard, mail_server, sample(), "x", std::chrono::seconds(10), control,
                           [&](ports::TaskHandler::Output output) { promise.set_value(std::move(output)); }));
  EXPECT_EQ(code_of(promise.get_future().get()), "smtp.tls");
  EXPECT_EQ(server.heard().find("MAIL"), std::string::npos);
}

TEST(TextCodec, KnowsUtf8) {
  for (const char* good : {"", "a", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"})
    EXPECT_TRUE(is_utf8(good));
  for (const char* bad : {"\xff", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82", "\x80"})
    EXPECT_FALSE(is_utf8(bad));
  EXPECT_EQ(cut_utf8("a\xe2\x82\xac", 3), "a");
  EXPECT_EQ(from_base64("YQ"), "a");
  EXPECT_EQ(from_base64("Y Q=\n="), "a");
  EXPECT_EQ(from_base64("Y?=="), std::nullopt);
}

}  // namespace
}  // namespace fp::tasks
