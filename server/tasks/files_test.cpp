#include "tasks/files.hpp"

#include "tasks/test_peer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sys/stat.h>

namespace fp::tasks {
namespace {

class FilesTest : public testing::Test {
 protected:
  ports::TaskHandler::Output run(ports::TaskHandler& handler, const JsonObject& config,
                                 std::uint32_t attempt = 1) {
    return TestAttempt(handler, config, std::chrono::seconds(10), attempt).wait();
  }
  std::string content(const std::string& path) const {
    std::ifstream file(root_folder_.path() / path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void put(const std::string& path, const std::string& text) const {
    std::filesystem::create_directories((root_folder_.path() / path).parent_path());
    std::ofstream(root_folder_.path() / path, std::ios::binary) << text;
  }

  TestFolder root_folder_;
  TestFolder outside_;
  std::shared_ptr<const FileRoot> root_ = std::make_shared<const FileRoot>(root_folder_.path());
  std::unique_ptr<ports::TaskHandler> read_ = make_file_read_handler(root_);
  std::unique_ptr<ports::TaskHandler> write_ = make_file_write_handler(root_);
  std::unique_ptr<ports::TaskHandler> list_ = make_file_list_handler(root_);
  std::unique_ptr<ports::TaskHandler> move_ = make_file_move_handler(root_);
  std::unique_ptr<ports::TaskHandler> delete_ = make_file_delete_handler(root_);
};

TEST_F(FilesTest, WritesAndReadsTextAndBytes) {
  const auto written = run(*write_, {{"path", "a/b.txt"}, {"content", "abc"}});
  ASSERT_TRUE(written) << written.error().message;
  EXPECT_EQ(written->at("sha256"), Json("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
  EXPECT_EQ(run(*read_, {{"path", "a/b.txt"}})->at("content"), Json("abc"));
  EXPECT_EQ(run(*read_, {{"path", "a/b.txt"}, {"encoding", "base64"}})->at("content"), Json("YWJj"));
  ASSERT_TRUE(run(*write_, {{"path", "c"}, {"content", "//4="}, {"encoding", "base64"}}));
  EXPECT_EQ(code_of(run(*read_, {{"path", "c"}})), "file.encoding");
  EXPECT_EQ(code_of(run(*write_, {{"path", "d"}, {"content", "?"}, {"encoding", "base64"}})),
            "file.encoding");
  ASSERT_TRUE(run(*write_, {{"path", "e.json"}, {"content", JsonObject{{"x", 1}}}}));
  EXPECT_EQ(content("e.json"), "{\n  \"x\": 1\n}\n");
}

TEST_F(FilesTest, RepeatsAWriteWithoutHarm) {
  ASSERT_TRUE(run(*write_, {{"path", "a"}, {"content", "one"}}));
  EXPECT_TRUE(run(*write_, {{"path", "a"}, {"content", "one"}}, 2));
  EXPECT_EQ(code_of(run(*write_, {{"path", "a"}, {"content", "two"}})), "file.exists");
  EXPECT_EQ(content("a"), "one");
  ASSERT_TRUE(run(*write_, {{"path", "a"}, {"content", "two"}, {"overwrite", true}}));
  EXPECT_EQ(content("a"), "two");
  ASSERT_TRUE(run(*write_, {{"path", "a"}, {"content", "+"}, {"append", true}}));
  EXPECT_EQ(content("a"), "two+");
  std::size_t entries = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(root_folder_.path()))
    ++entries;
  EXPECT_EQ(entries, 1u) << "nothing is left beside the file";
}

TEST_F(FilesTest, LetsNoPathLeaveTheRoot) {
  std::ofstream(outside_.path() / "secret") << "s3cret";
  std::filesystem::create_symlink(outside_.path() / "secret", root_folder_.path() / "link");
  std::filesystem::create_symlink(outside_.path(), root_folder_.path() / "folder");
  put("inside", "x");
  const std::string up = "../" + outside_.path().filename().string();
  for (const auto& path :
       std::vector<std::string>{"/etc/passwd", "../secret", up + "/secret", "a/../../secret", "link",
                                "folder/secret", "folder/new", "", "..", "."}) {
    EXPECT_FALSE(run(*read_, {{"path", path}})) << path;
    EXPECT_FALSE(run(*write_, {{"path", path}, {"content", "x"}, {"append", true}})) << path;
    EXPECT_FALSE(run(*move_, {{"path", "inside"}, {"to", path}})) << path;
    EXPECT_FALSE(run(*delete_, {{"path", path == "link" ? "folder/secret" : path}})) << path;
  }
  EXPECT_EQ(code_of(run(*read_, {{"path", "link"}})), "file.path");
  EXPECT_EQ(code_of(run(*list_, {{"path", "folder"}})), "file.path");
  std::ifstream secret(outside_.path() / "secret");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(secret), {}), "s3cret");
  EXPECT_FALSE(std::filesystem::exists(outside_.path() / "new"));
}

TEST_F(FilesTest, ReplacesALinkInsteadOfFollowingIt) {
  std::ofstream(outside_.path() / "secret") << "s3cret";
  std::filesystem::create_symlink(outside_.path() / "secret", root_folder_.path() / "link");
  EXPECT_EQ(code_of(run(*write_, {{"path", "link"}, {"content", "x"}, {"overwrite", true}})), "file.kind");
  std::ifstream secret(outside_.path() / "secret");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(secret), {}), "s3cret");
}

TEST_F(FilesTest, TouchesNoHiddenFiles) {
  put(".git/config", "x");
  for (const char* path : {".git/hooks/post-commit", ".profile", "a/.ssh/key"})
    EXPECT_EQ(code_of(run(*write_, {{"path", path}, {"content", "x"}})), "file.path") << path;
  EXPECT_EQ(code_of(run(*delete_, {{"path", ".git/config"}})), "file.path");
  EXPECT_EQ(run(*list_, {})->at("count"), Json(0));
}

TEST_F(FilesTest, WorksOnPlainFilesOnly) {
  ASSERT_EQ(mkfifo((root_folder_.path() / "pipe").c_str(), 0600), 0);
  std::filesystem::create_directory(root_folder_.path() / "dir");
  for (const char* path : {"pipe", "dir"}) {
    EXPECT_EQ(code_of(run(*read_, {{"path", path}})), "file.kind") << path;
    EXPECT_EQ(code_of(run(*write_, {{"path", path}, {"content", "x"}, {"overwrite", true}})), "file.kind")
        << path;
    EXPECT_EQ(code_of(run(*write_, {{"path", path}, {"content", "x"}, {"append", true}})), "file.kind")
        << path;
    EXPECT_EQ(code_of(run(*delete_, {{"path", path}})), "file.kind") << path;
    EXPECT_EQ(code_of(run(*move_, {{"path", path}, {"to", "new"}})), "file.kind") << path;
  }
}

TEST_F(FilesTest, KnowsItsLimits) {
  put("big", "");
  std::filesystem::resize_file(root_folder_.path() / "big", (16u << 20) + 1);
  EXPECT_EQ(code_of(run(*read_, {{"path", "big"}})), "file.too_large");
  EXPECT_EQ(code_of(run(*read_, {{"path", "none"}})), "file.missing");
  const auto nowhere = make_file_read_handler(std::make_shared<const FileRoot>(""));
  EXPECT_EQ(code_of(run(*nowhere, {{"path", "a"}})), "file.no_root");
}

TEST_F(FilesTest, ListsByNameAndPattern) {
  put("b.csv", "12");
  put("a.csv", "1");
  put("c.txt", "");
  put("sub/d.csv", "");
  const auto all = run(*list_, {});
  ASSERT_TRUE(all);
  EXPECT_EQ(all->at("count"), Json(4));
  EXPECT_EQ(all->at("files").at(0).at("name"), Json("a.csv"));
  EXPECT_EQ(all->at("files").at(1).at("size"), Json(2));
  EXPECT_EQ(all->at("files").at(3).at("type"), Json("folder"));
  EXPECT_EQ(run(*list_, {{"pattern", "*.csv"}})->at("count"), Json(2));
  EXPECT_EQ(run(*list_, {{"path", "sub"}})->at("files").at(0).at("path"), Json("sub/d.csv"));
}

TEST_F(FilesTest, MovesAndDeletesOnce) {
  put("a", "1");
  put("b", "2");
  EXPECT_EQ(code_of(run(*move_, {{"path", "a"}, {"to", "b"}})), "file.exists");
  ASSERT_TRUE(run(*move_, {{"path", "a"}, {"to", "x/c"}}));
  EXPECT_TRUE(run(*move_, {{"path", "a"}, {"to", "x/c"}}, 2)) << "an earlier attempt has moved it";
  EXPECT_EQ(code_of(run(*move_, {{"path", "a"}, {"to", "x/c"}})), "file.missing");
  EXPECT_EQ(content("x/c"), "1");
  EXPECT_EQ(run(*delete_, {{"path", "b"}})->at("deleted"), Json(true));
  EXPECT_EQ(run(*delete_, {{"path", "b"}}, 2)->at("deleted"), Json(false));
  EXPECT_EQ(code_of(run(*delete_, {{"path", "b"}})), "file.missing");
  EXPECT_TRUE(run(*delete_, {{"path", "b"}, {"missing_ok", true}}));
}

}  // namespace
}  // namespace fp::tasks
