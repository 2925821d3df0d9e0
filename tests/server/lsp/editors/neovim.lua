-- What a person does, in a real Neovim whose configuration is that of docs/editors/neovim.md. Only the keyboard is missing:
-- each numbered question is answered with the first line that says one of WANTED.
local WANTED = { 'Never', 'Apply faster%-add' }
local said = {}

vim.fn.inputlist = function(lines)
  table.insert(said, table.concat(lines, '\n'))
  for _, line in ipairs(lines) do
    for _, wanted in ipairs(WANTED) do
      local number = line:match('^%D*(%d+)')
      if number and line:find(wanted) then return tonumber(number) end
    end
  end
  return 0
end

local function text() return table.concat(vim.api.nvim_buf_get_lines(0, 0, -1, false), '\n') end

local function await(what, holds)
  if not vim.wait(60000, holds, 50) then
    error('no ' .. what .. '; said: ' .. vim.inspect(said))
  end
end

local done, trouble = pcall(function()
  vim.cmd('edit ' .. vim.fn.fnameescape(vim.env.OUTPACE_FILE))
  await('diagnostic', function() return #vim.diagnostic.get(0) > 0 end)
  local shown = vim.diagnostic.get(0)[1]
  table.insert(said, shown.message)
  vim.cmd('write')
  await('question', function() return table.concat(said):find('May outpace run') end)
  vim.api.nvim_win_set_cursor(0, { shown.lnum + 1, 0 })
  local before = text()
  vim.lsp.buf.code_action()
  await('edit', function() return text() ~= before end)
  vim.cmd('write')
end)
vim.fn.writefile(vim.split(vim.inspect({ done = done, trouble = trouble, said = said }), '\n'), vim.env.OUTPACE_SAID)
vim.cmd(done and 'qall!' or 'cquit!')
