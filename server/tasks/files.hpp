#pragma once

#include "ports/task_handler.hpp"
#include "tasks/file_root.hpp"

#include <memory>

namespace fp::tasks {

// One maker a file; all see the same root.
std::unique_ptr<ports::TaskHandler> make_file_read_handler(std::shared_ptr<const FileRoot> root);
std::unique_ptr<ports::TaskHandler> make_file_write_handler(std::shared_ptr<const FileRoot> root);
std::unique_ptr<ports::TaskHandler> make_file_list_handler(std::shared_ptr<const FileRoot> root);
std::unique_ptr<ports::TaskHandler> make_file_move_handler(std::shared_ptr<const FileRoot> root);
std::unique_ptr<ports::TaskHandler> make_file_delete_handler(std::shared_ptr<const FileRoot> root);

}  // namespace fp::tasks
