#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

/// Files that are on the disk when a call returns. Throw Unavailable when the disk fails.
namespace fp::store {

/// The content of a small file; nullopt when there is none.
std::optional<std::string> read_file(const std::filesystem::path& file);
/// All of it or nothing, name and all: written beside its place and renamed.
void write_durably(const std::filesystem::path& file, std::string_view text);
/// The content; the name is durable when the caller has synced the directory.
void copy_durably(const std::filesystem::path& from, const std::filesystem::path& to);
/// A second name for a file that never changes, or a copy where the file system has none. False when `from`
/// is gone.
bool link_or_copy(const std::filesystem::path& from, const std::filesystem::path& to);
void sync_file(const std::filesystem::path& file);
/// For a new copy: makes a directory (mode 0700) with its parents, or takes an empty one. False when
/// something is in it.
bool make_empty_directory(const std::filesystem::path& path);
/// Takes away what a failed copy left, as far as that goes. Never throws.
void empty_directory(const std::filesystem::path& path) noexcept;

}  // namespace fp::store
