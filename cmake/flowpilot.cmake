# The flags of our own code, and the functions every folder uses.
if(NOT FLOWPILOT_SANITIZE)
  set(FP_FORTIFY -D_FORTIFY_SOURCE=2)
endif()
add_library(fp_flags INTERFACE)
target_compile_options(fp_flags INTERFACE
  -Wall -Wextra -Wconversion -Wno-sign-conversion -Wshadow -Werror
  -fstack-protector-strong $<$<NOT:$<CONFIG:Debug>>:${FP_FORTIFY}>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 warns falsely inside inlined Boost.JSON and std::variant code.
  target_compile_options(fp_flags INTERFACE -Wno-maybe-uninitialized -Wno-restrict -Wno-dangling-pointer -Wno-array-bounds -Wno-stringop-overflow -Wno-shadow -Wno-missing-field-initializers)
else()
  target_compile_options(fp_flags INTERFACE -Wno-missing-designated-field-initializers -Wno-missing-field-initializers)
endif()
target_compile_options(fp_flags INTERFACE -fcf-protection)
target_link_options(fp_flags INTERFACE -Wl,-z,relro,-z,now)
target_include_directories(fp_flags INTERFACE ${PROJECT_SOURCE_DIR}/server ${PROJECT_BINARY_DIR}/generated)
target_compile_definitions(fp_flags INTERFACE
  BOOST_JSON_STATIC_LINK BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
  FLOWPILOT_VERSION="${PROJECT_VERSION}" $<$<BOOL:${FLOWPILOT_FAILPOINTS}>:FLOWPILOT_FAILPOINTS>)
if(FLOWPILOT_SANITIZE)
  target_compile_options(fp_flags INTERFACE -fsanitize=${FLOWPILOT_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(fp_flags INTERFACE -fsanitize=${FLOWPILOT_SANITIZE})
endif()

# fp_pack_page(TARGET DIST OUT FUNCTION): a folder of built web files as a C++ source. Looked at in every build, because the folder
# may come, change and go after CMake has run; the source is written only when it changes.
function(fp_pack_page TARGET DIST OUT FUNCTION)
  cmake_path(REPLACE_EXTENSION OUT ".bin" OUTPUT_VARIABLE BYTES)
  add_custom_target(${TARGET}
    COMMAND python3 ${PROJECT_SOURCE_DIR}/tools/pack_web.py ${DIST} ${OUT} ${FUNCTION}
    BYPRODUCTS ${OUT} ${BYTES} COMMENT "" VERBATIM)
  set_source_files_properties(${OUT} PROPERTIES OBJECT_DEPENDS ${BYTES})
endfunction()

# fp_module(NAME [SOURCES ...] [TESTS ...] [LINK ...]): one folder of server/. Tests sit beside their sources and are
# gathered into the one unit test binary.
function(fp_module NAME)
  cmake_parse_arguments(ARG "" "" "SOURCES;TESTS;LINK" ${ARGN})
  add_library(fp_${NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(fp_${NAME} PUBLIC fp_flags ${ARG_LINK})
  foreach(TEST ${ARG_TESTS})
    set_property(GLOBAL APPEND PROPERTY FP_TEST_SOURCES ${CMAKE_CURRENT_SOURCE_DIR}/${TEST})
  endforeach()
  set_property(GLOBAL APPEND PROPERTY FP_MODULES fp_${NAME})
endfunction()
