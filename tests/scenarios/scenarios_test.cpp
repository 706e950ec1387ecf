#include "store/memory/memory_store.hpp"
#include "store/sqlite/sqlite_store.hpp"
#include "support/scenario.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>

namespace fp::tests {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> list_scenarios() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::recursive_directory_iterator(FLOWPILOT_SCENARIOS)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

/// The history is the last field of the file, so that it can be written anew: FLOWPILOT_UPDATE_SCENARIOS=1.
/// Read what it wrote before you believe it.
void write_history(const fs::path& file, const std::string& history) {
  std::stringstream text;
  text << std::ifstream(file).rdbuf();
  auto head = text.str();
  if (const auto at = head.find("\nhistory:"); at != std::string::npos) head.resize(at + 1);
  std::ofstream out(file);
  out << head << "history: |\n";
  std::istringstream lines(history);
  for (std::string line; std::getline(lines, line);) out << "  " << line << "\n";
}

class ScenarioTest : public testing::TestWithParam<fs::path> {
 protected:
  void SetUp() override {
    scenario_ = load_scenario(GetParam(), scenario_types());
    ASSERT_TRUE(scenario_);
  }
  std::optional<Scenario> scenario_;
};

TEST_P(ScenarioTest, PureEngine) {
  const auto history = run_in_engine(*scenario_);
  if (std::getenv("FLOWPILOT_UPDATE_SCENARIOS") != nullptr) return write_history(GetParam(), history);
  EXPECT_EQ(history, scenario_->history) << scenario_->title;
}

TEST_P(ScenarioTest, MemoryStore) {
  const auto disk = std::make_shared<store::MemoryDisk>();
  EXPECT_EQ(run_in_runtime(*scenario_, [&] { return std::make_unique<store::MemoryStore>(disk); }),
            scenario_->history)
      << scenario_->title;
}

TEST_P(ScenarioTest, Sqlite) {
  const auto folder =
      fs::temp_directory_path() / ("flowpilot-scenario-" + std::to_string(std::random_device()()));
  const auto open = [&]() -> std::unique_ptr<ports::Store> {
    auto opened = store::SqliteStore::open(folder);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  };
  EXPECT_EQ(run_in_runtime(*scenario_, open), scenario_->history) << scenario_->title;
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(Corpus, ScenarioTest, testing::ValuesIn(list_scenarios()), [](const auto& test) {
  auto name = fs::relative(test.param, FLOWPILOT_SCENARIOS).replace_extension().string();
  std::replace_if(
      name.begin(), name.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
  return name;
});

TEST(ScenarioCorpus, HasOneBehaviourAFileAndEnoughOfThem) {
  EXPECT_GE(list_scenarios().size(), 80u);
}

}  // namespace
}  // namespace fp::tests
