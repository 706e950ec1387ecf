#include "model/time_zone.hpp"

#include <fstream>
#include <set>
#include <string>

namespace fp::model {

namespace {

/// The names of tzdata's own index; the aliases come from its "backward" links.
std::set<std::string, std::less<>> load_names() {
  std::set<std::string, std::less<>> names = {"UTC", "GMT", "Etc/UTC"};
  std::ifstream file("/usr/share/zoneinfo/tzdata.zi");
  for (std::string line; std::getline(file, line);) {
    if (line.size() < 3 || line[1] != ' ') continue;
    if (line[0] == 'Z') names.insert(line.substr(2, line.find(' ', 2) - 2));
    if (line[0] == 'L') names.insert(line.substr(line.rfind(' ') + 1));
  }
  return names;
}

}  // namespace

bool is_time_zone(std::string_view name) {
  static const auto names = load_names();
  return names.contains(name);
}

}  // namespace fp::model
