/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What this code uses of WordPress's own scripts, in WordPress 6.4 and later.
 * build.mjs maps each of these modules to its global.
 */

declare module '@wordpress/element' {
  export {
    Component,
    Fragment,
    createElement,
    createContext,
    forwardRef,
    memo,
    useCallback,
    useContext,
    useEffect,
    useId,
    useLayoutEffect,
    useMemo,
    useReducer,
    useRef,
    useState,
    useSyncExternalStore,
  } from 'react';
  export type { ComponentType, FormEvent, KeyboardEvent, ReactNode } from 'react';
  import type { ReactNode, ReactPortal } from 'react';
  export function createRoot(container: Element): {
    render(node: ReactNode): void;
    unmount(): void;
  };
  export function createPortal(node: ReactNode, container: Element): ReactPortal;
  export function createInterpolateElement(
    text: string,
    elements: Record<string, JSX.Element>,
  ): JSX.Element;
}

declare module '@wordpress/i18n' {
  export function __(text: string, domain: 'wordsocket'): string;
  export function _x(text: string, context: string, domain: 'wordsocket'): string;
  export function _n(
    single: string,
    plural: string,
    count: number,
    domain: 'wordsocket',
  ): string;
  export function sprintf(format: string, ...values: (string | number)[]): string;
}

declare module '@wordpress/api-fetch' {
  export interface Options {
    path: string;
    method?: 'GET' | 'POST' | 'DELETE';
    data?: unknown;
    signal?: AbortSignal;
  }
  /** What reaches a middleware: anybody's request. */
  export interface Request {
    readonly path?: string;
    readonly method?: string;
    readonly data?: unknown;
    readonly body?: unknown;
    /** False: the answer is to be a Response. */
    readonly parse?: boolean;
  }
  export type Middleware = (request: Request, next: (request: Request) => Promise<unknown>) => Promise<unknown>;
  /** Rejects with the error of the REST API: code, message, data. */
  function apiFetch<T>(options: Options): Promise<T>;
  namespace apiFetch {
    /** The last one that was added is asked first. */
    function use(middleware: Middleware): void;
  }
  export default apiFetch;
}

declare module '@wordpress/a11y' {
  export function speak(text: string, politeness?: 'polite' | 'assertive'): void;
}

declare module '@wordpress/hooks' {
  export function addAction(
    hook: string,
    namespace: string,
    callback: (...given: any[]) => void,
    priority?: number,
  ): void;
  export function addFilter(
    hook: string,
    namespace: string,
    callback: (...given: any[]) => unknown,
    priority?: number,
  ): void;
  export function applyFilters(hook: string, value: unknown, ...more: unknown[]): unknown;
  export function doAction(hook: string, ...more: unknown[]): void;
}

declare module '@wordpress/compose' {
  export function useInstanceId(of: object, prefix?: string): string;
  export function useCopyToClipboard<T extends HTMLElement>(
    text: string | (() => string),
    done?: () => void,
  ): import('react').Ref<T>;
}

declare module '@wordpress/data' {
  export function useSelect<T>(
    map: (select: (store: string) => any) => T,
    deps?: readonly unknown[],
  ): T;
  export function useDispatch(store: string): any;
  export function select(store: string): any;
  export function dispatch(store: string): any;
  /** Calls on every change of any store; returns what ends it. */
  export function subscribe(listener: () => void): () => void;
}

declare module '@wordpress/plugins' {
  import type { ComponentType, ReactNode } from 'react';
  export function PluginArea(props: {
    scope?: string;
    onError?: (name: string, error: Error) => void;
  }): JSX.Element;
  export function registerPlugin(
    name: string,
    settings: { scope?: string; icon?: unknown; render: ComponentType | (() => ReactNode) },
  ): unknown;
}

declare module '@wordpress/components' {
  import type {
    ComponentType,
    FormEventHandler,
    HTMLAttributes,
    MouseEventHandler,
    ReactElement,
    ReactNode,
    Ref,
  } from 'react';

  type Passed = Omit<HTMLAttributes<HTMLElement>, 'onChange' | 'title'> & {
    [data: `data-${string}`]: string | number | boolean | undefined;
  };
  interface Field extends Passed {
    label?: ReactNode;
    hideLabelFromVision?: boolean;
    help?: ReactNode;
    disabled?: boolean;
    readOnly?: boolean;
    required?: boolean;
    /** Looks as it will from 7.0 on, and no warning until then. */
    __nextHasNoMarginBottom?: boolean;
    __next40pxDefaultSize?: boolean;
  }

  export const Button: ComponentType<
    Passed & {
      variant?: 'primary' | 'secondary' | 'tertiary' | 'link';
      size?: 'default' | 'compact' | 'small';
      icon?: unknown;
      iconSize?: number;
      label?: string;
      showTooltip?: boolean;
      isBusy?: boolean;
      isDestructive?: boolean;
      isPressed?: boolean;
      disabled?: boolean;
      href?: string;
      target?: string;
      type?: 'button' | 'submit';
      onClick?: MouseEventHandler;
      ref?: Ref<HTMLButtonElement>;
      __next40pxDefaultSize?: boolean;
    }
  >;
  export const TextControl: ComponentType<
    Field & {
      value: string | number;
      type?: string;
      placeholder?: string;
      min?: number;
      max?: number;
      maxLength?: number;
      pattern?: string;
      list?: string;
      autoComplete?: string;
      onChange: (value: string) => void;
    }
  >;
  export const TextareaControl: ComponentType<
    Field & {
      value: string;
      rows?: number;
      placeholder?: string;
      onChange: (value: string) => void;
    }
  >;
  export const SelectControl: ComponentType<
    Field & {
      value: string;
      options?: { value: string; label: string; disabled?: boolean }[];
      onChange: (value: string) => void;
    }
  >;
  export const CheckboxControl: ComponentType<
    Field & { checked: boolean; onChange: (checked: boolean) => void }
  >;
  export const ToggleControl: ComponentType<
    Field & { checked: boolean; onChange: (checked: boolean) => void }
  >;
  export const RadioControl: ComponentType<
    Field & {
      selected: string;
      options: { value: string; label: string }[];
      onChange: (value: string) => void;
    }
  >;
  export const Notice: ComponentType<{
    status?: 'info' | 'success' | 'warning' | 'error';
    isDismissible?: boolean;
    onRemove?: () => void;
    politeness?: 'polite' | 'assertive';
    spokenMessage?: string;
    className?: string;
    actions?: { label: string; url?: string; onClick?: () => void }[];
    children?: ReactNode;
  }>;
  export const Spinner: ComponentType<Passed>;
  export const ExternalLink: ComponentType<Passed & { href: string }>;
  export const VisuallyHidden: ComponentType<Passed & { as?: string }>;
  export const Card: ComponentType<
    Passed & { size?: string; isBorderless?: boolean; as?: string }
  >;
  export const CardHeader: ComponentType<Passed & { size?: string }>;
  export const CardBody: ComponentType<Passed & { size?: string }>;
  export const CardFooter: ComponentType<Passed & { size?: string }>;
  export const Flex: ComponentType<
    Passed & {
      as?: string;
      align?: string;
      justify?: string;
      gap?: number | string;
      wrap?: boolean;
      direction?: string;
    }
  >;
  export const FlexItem: ComponentType<Passed>;
  export const FlexBlock: ComponentType<Passed>;
  export const BaseControl: ComponentType<Field & { id?: string }>;
  export const Dashicon: ComponentType<Passed & { icon: string; size?: number }>;
  export const Icon: ComponentType<Passed & { icon: unknown; size?: number }>;
  export const Modal: ComponentType<
    Passed & { title: string; onRequestClose: () => void; size?: string }
  >;
  export const Tooltip: ComponentType<{ text: string; children: ReactElement }>;
  export const SlotFillProvider: ComponentType<{ children?: ReactNode }>;
  export function createSlotFill(name: string): {
    Fill: ComponentType<{ children?: ReactNode }>;
    Slot: ComponentType<{
      bubblesVirtually?: boolean;
      fillProps?: object;
      className?: string;
      children?: (fills: ReactNode[]) => ReactNode;
    }>;
  };

  /** Only so that a form can be one. */
  export type Submit = FormEventHandler<HTMLFormElement>;
}
