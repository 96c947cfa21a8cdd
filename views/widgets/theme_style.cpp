// The style sheet: only what Fusion draws too heavy. Colours come from Theme, sizes from the 8-px grid.
#include "views/widgets/theme.h"

namespace strobe {
namespace {

const char* const kChrome = R"(
QToolTip { background: @surface; color: @text; border: 1px solid @hairline; padding: 4px 6px; }
QMainWindow::separator { background: @hairline; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent; }
QSplitter::handle { background: @hairline; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QSplitter::handle:hover { background: @accent; }
QDockWidget { titlebar-close-icon: none; titlebar-normal-icon: none; }
QDockWidget::title { background: @window; padding: 6px 8px; border: none; border-bottom: 1px solid @hairline; text-align: left; }
QWidget#pageHeader { background: @window; border-bottom: 1px solid @hairline; }
QFrame#popupFrame { background: @surface; border: 1px solid @strong; }
QLabel#weightsTitle { border-top: 1px solid @hairline; }
QToolButton#closePage { color: @secondary; padding: 2px 5px; }
QToolButton[tight="true"] { padding: 2px 4px; }
QToolButton#closePage:hover { color: @text; }
QMenuBar { background: @window; border: none; border-bottom: 1px solid @hairline; padding: 0 4px; }
QMenuBar::item { padding: 5px 8px; background: transparent; }
QMenuBar::item:selected { background: @hover; }
QMenu { background: @surface; border: 1px solid @hairline; padding: 4px 0; }
QMenu::item { padding: 4px 28px 4px 24px; }
QMenu::item:selected { background: @selection; color: @text; }
QMenu::item:disabled { color: @faint; }
QMenu::separator { height: 1px; background: @hairline; margin: 4px 0; }
QToolBar { background: @window; border: none; border-bottom: 1px solid @hairline; padding: 4px 8px; spacing: 4px; }
QToolBar::separator { background: @hairline; width: 1px; margin: 4px; }
QStatusBar { background: @window; border-top: 1px solid @hairline; }
QStatusBar::item { border: none; }
QTabBar { qproperty-drawBase: 0; }
QTabBar::tab { background: transparent; color: @secondary; border: none; border-bottom: 2px solid transparent; padding: 5px 10px; }
QTabBar::tab:selected { color: @text; border-bottom: 2px solid @accent; }
QTabBar::tab:hover:!selected { color: @text; background: @hover; }
QTabBar::tab:focus { color: @text; }
QTabWidget::pane { border: none; border-top: 1px solid @hairline; }
)";

const char* const kControls = R"(
QPushButton, QToolButton { background: transparent; color: @text; border: 1px solid transparent; border-radius: 4px; padding: 4px 10px; }
QPushButton { background: @surface; border-color: @hairline; }
QToolButton { padding: 4px 6px; }
QPushButton:hover, QToolButton:hover { background: @hover; }
QPushButton:pressed, QToolButton:pressed, QToolButton:checked { background: @selection; }
QPushButton:focus, QToolButton:focus { border-color: @accent; }
QPushButton:disabled, QToolButton:disabled { color: @faint; }
QToolButton[missing="true"] { color: @secondary; }
QPushButton:default, QPushButton[primary="true"], QToolButton[primary="true"] { background: @accent; color: @accentText; border-color: @accent; }
QPushButton[primary="true"]:disabled, QToolButton[primary="true"]:disabled { background: @hairline; border-color: @hairline; color: @faint; }
QToolButton::menu-indicator { subcontrol-position: right center; }
QToolButton[contextMenuPolicy="2"]::menu-indicator { image: none; }
QToolButton[popupMode="1"] { padding-right: 20px; }
QToolButton::menu-button { border: none; border-radius: 4px; width: 16px; }
QToolButton::menu-button:hover { background: @selection; }
QToolButton[popupMode="2"] { padding-right: 16px; }
QComboBox { background: @surface; border: 1px solid @hairline; border-radius: 4px; padding: 3px 8px; }
QComboBox::drop-down { border: none; width: 20px; }
QComboBox::down-arrow { image: url(:/strobe/icons/down_arrow.svg); width: 10px; height: 6px; margin-right: 4px; }
QAbstractSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right; width: 18px; border: none; }
QAbstractSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right; width: 18px; border: none; }
QAbstractSpinBox::up-button:hover, QAbstractSpinBox::down-button:hover { background: @hover; }
QAbstractSpinBox::up-arrow { image: url(:/strobe/icons/up_arrow.svg); width: 8px; height: 5px; }
QAbstractSpinBox::down-arrow { image: url(:/strobe/icons/down_arrow.svg); width: 8px; height: 5px; }
QComboBox:hover, QLineEdit:hover, QAbstractSpinBox:hover { border-color: @strong; }
QComboBox:focus, QLineEdit:focus, QAbstractSpinBox:focus, QPlainTextEdit:focus { border-color: @accent; }
QComboBox QAbstractItemView { background: @surface; border: 1px solid @hairline; selection-background-color: @selection; selection-color: @text; outline: none; }
QLineEdit { background: @surface; border: 1px solid @hairline; border-radius: 4px; padding: 3px 6px; selection-background-color: @accent; selection-color: @accentText; }
QAbstractSpinBox { background: @surface; border: 1px solid @hairline; border-radius: 4px; padding: 3px 4px; }
QProgressBar { background: @hairline; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: @accent; border-radius: 2px; }
QGroupBox { border: none; border-top: 1px solid @hairline; margin-top: 16px; padding-top: 8px; }
QGroupBox::title { subcontrol-origin: margin; left: 0; color: @secondary; }
)";

const char* const kViews = R"(
QAbstractItemView { background: @surface; border: none; outline: none; selection-background-color: @selection; selection-color: @text; alternate-background-color: @alternate; }
QTableView, QTreeView { border: 1px solid transparent; }
QTableView:focus, QTreeView:focus { border-color: @accent; }
QPlainTextEdit[field="true"] { border: 1px solid @hairline; border-radius: 4px; }
QPlainTextEdit[field="true"]:focus { border-color: @accent; }
QPlainTextEdit, QTextEdit, QTextBrowser { background: @surface; border: none; selection-background-color: @accent; selection-color: @accentText; }
QTreeView { padding: 4px; }
QTreeView::item { padding: 3px 4px; }
QHeaderView { background: @surface; }
QHeaderView::section { background: @surface; color: @secondary; border: none; border-bottom: 1px solid @hairline; border-right: 1px solid @hairline; padding: 4px 6px 4px 4px; }
QHeaderView::section:hover { color: @text; background: @hover; }
QHeaderView::up-arrow, QHeaderView::down-arrow { subcontrol-origin: padding; subcontrol-position: top center; width: 9px; height: 9px; top: 1px; }
QAbstractScrollArea::corner { background: transparent; border: none; }
QTableCornerButton::section { background: @surface; border: none; }
QScrollArea { border: none; background: transparent; }
QScrollBar { background: transparent; border: none; }
QScrollBar:vertical { width: 10px; }
QScrollBar:horizontal { height: 10px; }
QScrollBar::handle { background: @thumb; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::handle:hover { background: @secondary; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
)";

}  // namespace

QString Theme::styleSheet() const {
    const ThemeColours& c = colours();
    const QPalette p = palette();
    const QColor strong = p.color(QPalette::Dark);
    // Longer names first: "@accentText" must not be taken for "@accent".
    const std::pair<const char*, QColor> tokens[] = {{"@accentText", c.accentText},
                                                     {"@accent", c.accent},
                                                     {"@window", c.window},
                                                     {"@surface", c.surface},
                                                     {"@hairline", c.hairline},
                                                     {"@text", c.text},
                                                     {"@secondary", c.secondary},
                                                     {"@selection", c.selection},
                                                     {"@hover", c.hover},
                                                     {"@alternate", p.color(QPalette::AlternateBase)},
                                                     {"@strong", strong},
                                                     {"@thumb", strong},
                                                     {"@faint", p.color(QPalette::Disabled, QPalette::Text)}};
    QString sheet = QString::fromUtf8(kChrome) + QString::fromUtf8(kControls) + QString::fromUtf8(kViews);
    for (const auto& [token, colour] : tokens) sheet.replace(QLatin1String(token), colour.name());
    return sheet;
}

}  // namespace strobe
